// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/answer/answer_format.h"
#include "engine/base/result.h"
#include "engine/engine.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/serving/chat/context.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

constexpr std::size_t kTemplateFileBytesMax = std::size_t{1} << 20;

struct ChatPromptOptions {
  std::string system_prompt;                 // of conversations without a system message
  std::optional<std::string> template_text;  // instead of the file's
};

// Turns messages into a prompt by the model's own chat template. Immutable; thread-safe.
class ChatPrompt {
 public:
  // A file without a template, or with one that cannot be parsed, gives a ChatPrompt that says so
  // at each Render: everything else of such a model works.
  ChatPrompt(const GgufFile& metadata, const Tokenizer& tokenizer, ChatPromptOptions options);
  ~ChatPrompt();

  // OK, or why nothing can be rendered: FAILED_PRECONDITION.
  const Status& status() const { return unusable_; }

  // How the model marks the parts of its answers, as far as the template tells.
  const AnswerFormat& format() const { return format_; }

  // FAILED_PRECONDITION as status() gives it; INVALID_ARGUMENT names the field
  // ("messages[2].content", "template_variables.enable_thinking"), or is what the template says of
  // the messages.
  Result<std::string> Render(std::span<const ChatMessage> messages,
                             const ChatTemplateOptions& options) const;

 private:
  struct Parsed;
  Result<std::string> RenderAs(std::span<const ChatMessage> messages,
                               const ChatTemplateOptions& options,
                               const TemplateReads& reads) const;

  Status unusable_;
  std::unique_ptr<Parsed> parsed_;
  AnswerFormat format_;
  const std::string system_prompt_;
  std::string bos_;
  std::string eos_;
};

}  // namespace edgemoe
