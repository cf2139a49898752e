// SPDX-License-Identifier: Apache-2.0
//
// A model's chat template: the subset of Jinja that chat templates are written in, with the
// semantics of the models' own library (Jinja 2 with trim_blocks and lstrip_blocks, Python's texts
// and numbers, JSON as json.dumps writes it).
//
// Left out: include, import, extends, block, call, recursive loops, "%" on texts, methods that
// change a list, and upper and lower case beyond ASCII.
//
// Everything is bounded, for templates come with files from anywhere: 1 MiB of source, nesting and
// recursion (parser.h, expression_parser.h, evaluator.h), 4 million steps, 512 MiB of text handled
// and 64 MiB written in one rendering (value.h, evaluator.h).
#pragma once

#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace edgemoe {

namespace jinja {
struct Program;
}

struct RenderOptions {
  // What strftime_now() formats. Without it the template finds no such function, as in
  // {% if strftime_now is defined %}.
  std::optional<std::tm> now;
};

// Immutable once parsed: copies share one program, and any thread may render.
class ChatTemplate {
 public:
  // INVALID_ARGUMENT names line and column.
  static Result<ChatTemplate> Parse(std::string source);

  // `context` is an object: messages, tools, add_generation_prompt, bos_token and whatever else the
  // template may ask for. INVALID_ARGUMENT names line and column, or is the message of the
  // template's raise_exception().
  Result<std::string> Render(const nlohmann::ordered_json& context,
                             const RenderOptions& options = {}) const;

  // As parsed.
  const std::string& source() const;

 private:
  explicit ChatTemplate(std::shared_ptr<const jinja::Program> program);
  std::shared_ptr<const jinja::Program> program_;
};

}  // namespace edgemoe
