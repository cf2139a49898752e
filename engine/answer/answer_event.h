// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace edgemoe {

// A part of an answer, or what became of one. Texts of the same kind that follow each other are one
// text; so are the arguments of one call.
struct AnswerEvent {
  enum class Kind : std::uint8_t {
    kReasoning,  // `text`
    kContent,    // `text`
    kCallBegun,  // `call_index`, `call_name`, `call_id`
    kArguments,  // `text`: the next bytes of the JSON object that the arguments are
    kCallEnded,  // `call_index`; its arguments are a JSON object
    // What looked like a call is none; `text` says why. What was written follows, as part of the
    // text around it. With `call_index` it was begun, and is void.
    kNotParsed,
  };
  Kind kind = Kind::kContent;
  std::string text{};
  std::optional<std::uint32_t> call_index{};  // counts the calls begun, from 0
  std::string call_name{};
  std::string call_id{};  // as the model wrote it; empty: it wrote none

  bool operator==(const AnswerEvent&) const = default;
};

}  // namespace edgemoe
