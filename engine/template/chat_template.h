// SPDX-License-Identifier: Apache-2.0
//
// A model's chat template: the subset of Jinja that chat templates are written in, with the
// semantics of the models' own library (Jinja 2 with trim_blocks and lstrip_blocks, Python's texts
// and numbers, JSON as json.dumps writes it).
//
// Left out: include, import, extends, block, methods that change a list, str.format(), integers
// beyond 64 bits, and targets in brackets of their own ("for a, (b, c) in"). What is a generator or
// a range in Python is a list.
//
// Everything is bounded, for templates come with files from anywhere: 1 MiB of source (parser.h),
// nesting and recursion (token_cursor.h, expression_parser.h, evaluator.h), and what one rendering
// does (render_options.h).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/template/render_options.h"

namespace edgemoe {

namespace jinja {
struct Program;
}

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

  // The text that was parsed.
  const std::string& source() const;

 private:
  explicit ChatTemplate(std::shared_ptr<const jinja::Program> program);
  std::shared_ptr<const jinja::Program> program_;
};

}  // namespace edgemoe
