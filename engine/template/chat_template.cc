// SPDX-License-Identifier: Apache-2.0
#include "engine/template/chat_template.h"

#include <utility>

#include "engine/template/evaluation/evaluator.h"
#include "engine/template/syntax/parser.h"
#include "engine/template/syntax/syntax.h"

namespace edgemoe {

namespace jinja {

struct Program {
  std::string source;
  Body body;
};

namespace {

// Jinja reads every kind of line end as "\n", and drops one at the end.
std::string NormalizeLines(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    text += source[i] == '\r' ? '\n' : source[i];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace
}  // namespace jinja

ChatTemplate::ChatTemplate(std::shared_ptr<const jinja::Program> program)
    : program_(std::move(program)) {}

Result<ChatTemplate> ChatTemplate::Parse(std::string source) {
  EDGEMOE_ASSIGN_OR_FAIL(jinja::Body body, jinja::ParseTemplate(jinja::NormalizeLines(source)));
  return ChatTemplate(
      std::make_shared<const jinja::Program>(jinja::Program{std::move(source), std::move(body)}));
}

Result<std::string> ChatTemplate::Render(const nlohmann::ordered_json& context,
                                         const RenderOptions& options) const {
  if (!context.is_object()) {
    return Failure(InvalidArgumentError("chat template's input: not a JSON object"));
  }
  return jinja::Evaluate(program_->body, context, options);
}

const std::string& ChatTemplate::source() const { return program_->source; }

}  // namespace edgemoe
