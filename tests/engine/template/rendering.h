// SPDX-License-Identifier: Apache-2.0
//
// A template's source, rendered for a fixed context.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/template/chat_template.h"

namespace edgemoe {

using Json = nlohmann::ordered_json;
inline const Json& Context() {
  static const Json context = Json::parse(R"json({
    "s": "  Hello W\u00f6rld  ", "n": null, "xs": [3, 1, 2], "words": ["b", "A", "c", "a"],
    "d": {"b": 1, "a": [1, 2.5, "x\n\"\u00e9", null, true]}, "t": true, "f": 1.0, "e": [],
    "u": "\u65e5\u672c\u8a9e\ud83e\udd99",
    "msgs": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"},
             {"role": "user", "content": ""}]})json");
  return context;
}

inline Result<std::string> Render(const std::string& source, const Json& context = Context(),
                                  const RenderOptions& options = {}) {
  EDGEMOE_ASSIGN_OR_FAIL(const ChatTemplate parsed, ChatTemplate::Parse(source));
  return parsed.Render(context, options);
}

struct Sample {
  const char* source;
  const char* written;
};

}  // namespace edgemoe
