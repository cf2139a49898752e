// SPDX-License-Identifier: Apache-2.0
//
// Any template on a fixed conversation, and any JSON on a fixed template: text within the limits,
// or INVALID_ARGUMENT; the same when rendered again.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/check.h"
#include "engine/template/chat_template.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

// Low, so that no input is slow under sanitizers.
const RenderOptions& Options() {
  static const RenderOptions options = {
      .now = std::tm{},
      .limits = {.steps_max = 50000, .handled_bytes_max = 4 << 20, .output_bytes_max = 1 << 20}};
  return options;
}

const Json& Conversation() {
  static const Json context = Json::parse(R"json({
    "messages": [{"role": "system", "content": "Be \u00e9."}, {"role": "user", "content": " hi\n"},
                 {"role": "assistant", "content": "<think>a</think>b", "tool_calls": [
                   {"function": {"name": "f", "arguments": {"x": [1, 2.5, null, true]}}}]}],
    "tools": [{"type": "function", "function": {"name": "f"}}], "add_generation_prompt": true,
    "xs": [3, 1, 2], "n": -7, "f": 0.5, "s": "abc", "none": null, "d": {"a": 1, "b": {}}})json");
  return context;
}

void RenderTwice(const ChatTemplate& parsed, const Json& context) {
  const auto rendered = parsed.Render(context, Options());
  if (rendered) {
    EDGEMOE_CHECK(rendered->size() <= Options().limits.output_bytes_max, "bounded output");
  } else {
    EDGEMOE_CHECK(rendered.error().code() == StatusCode::kInvalidArgument, "a canonical refusal");
  }
  EDGEMOE_CHECK(parsed.Render(context, Options()) == rendered, "rendering changes nothing");
}

// Uses of data that reach most operations.
const ChatTemplate& DataTemplate() {
  static const ChatTemplate parsed = *ChatTemplate::Parse(
      "{% for k, v in x.items() %}{{ k }}{{ v }}{{ v|tojson(indent=1) }}{{ v == x }}{{ v is "
      "iterable "
      "}}{% if v is iterable %}{{ v|list|length }}{{ v|join(',') }}{% endif %}{% if v is string "
      "%}{{ "
      "v[::-1] }}{{ v.split() }}{{ v|trim|title }}{{ v[0] }}{% endif %}{% if v is number %}{{ v * "
      "v "
      "}}{{ v // 3 }}{{ v|int }}{{ v|round(1) }}{% endif %}{% endfor %}");
  return parsed;
}

}  // namespace
}  // namespace edgemoe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgemoe;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto parsed = ChatTemplate::Parse(text)) {
    RenderTwice(*parsed, Conversation());
  } else {
    EDGEMOE_CHECK(parsed.error().code() == StatusCode::kInvalidArgument, "a canonical refusal");
  }
  Json context = {{"x", Json::parse(text, nullptr, /*allow_exceptions=*/false)}};
  RenderTwice(DataTemplate(), context);
  return 0;
}
