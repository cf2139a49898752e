// SPDX-License-Identifier: Apache-2.0
//
// A model's chat template: the subset of Jinja that chat templates are written in, with the
// semantics of the models' own library, transformers: Jinja 2 with trim_blocks and lstrip_blocks,
// Python's texts and numbers, loop controls, {% generation %}, and tojson as json.dumps writes it.
// What Jinja renders is rendered byte for byte; what it refuses is refused.
//
// Beyond that library, methods change lists and dictionaries (append, pop, update ...): those that
// only variables and namespaces hold, for one inside another is refused.
//
// Left out: include, import, extends, block, autoescape; cycler, joiner and lipsum; the filters
// filesizeformat, pprint, random, striptags, urlencode, urlize and xmlattr; keys of sort();
// integers beyond 64 bits; names of other letters than ASCII's; assignments to a dictionary's key.
// A range is a list, a view of a dictionary is what that held when it was made, and a loop visits
// what its list held at its start. A generator is worked out when it is made.
//
// Everything is bounded, for templates come with files from anywhere: 1 MiB of source (parser.h),
// nesting and recursion (token_cursor.h, expression_parser.h, evaluator.h), and what one rendering
// does (render_options.h).
//
// What templates of models look for in the context. Only what is there is set, as templates ask
// "is defined" and iterate what is undefined as empty:
//   messages               the conversation, of which each has
//     role                 "system", "user", "assistant", "tool"
//     content              a text, also where there is none: ""
//     reasoning_content    of the assistant; "thinking" in gpt-oss, Cohere2, LFM2.5, "reasoning" in
//                          Gemma 4: the same text may be given by all three names
//     tool_calls           [{id, type: "function", function: {name, arguments}}]; arguments are an
//                          object, which older templates (DeepSeek R1 and V3) join to a text and
//                          so refuse: these want the JSON text of it
//     tool_call_id, name   of "tool": the call that it answers (Mistral's have 9 characters) and
//                          the function's name
//   tools                  [{type: "function", function: {name, description, parameters}}], with
//                          parameters a JSON Schema of an object; left out without tools, for which
//                          some templates do not expect null
//   add_generation_prompt  false where the last message, the assistant's, is to be continued
//   bos_token, eos_token   the texts of these tokens
//   enable_thinking        a switch; "thinking" in DeepSeek's and granite's
//   reasoning_effort       "low", "medium", "high" (gpt-oss, Solar, DeepSeek V4)
// and what some models document: thinking_budget, clear_thinking, keep_past_thinking, documents,
// model_identity, builtin_tools, custom_tools, date_string.
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

  // `context` is an object. INVALID_ARGUMENT names line and column, or is the message of the
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
