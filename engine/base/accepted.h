// SPDX-License-Identifier: Apache-2.0
//
// The one way to refuse a value: "field: found X; accepted: Y". Bad input is told the field, the
// value found and what would be accepted; these functions write the two halves alike everywhere.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "engine/base/status.h"

namespace edgemoe {

// ---- A value, as messages show it ----

// In quotes, cut after `bytes_max` bytes. Control characters and what is not UTF-8 become '?', so
// that no message carries them.
std::string ShowValue(std::string_view text, std::size_t bytes_max = 80);

std::string ShowValue(double number);  // as "%g" writes it
std::string ShowValue(std::integral auto number) { return std::to_string(number); }

// ---- What is accepted ----

// "\"auto\", \"io_uring\", \"pread\"".
std::string AcceptedNames(std::span<const std::string_view> names);

// "[1, 64]"; both ends are accepted. "1" where there is no other.
std::string AcceptedRange(auto least, auto most) {
  const std::string lowest = ShowValue(least);
  const std::string highest = ShowValue(most);
  return lowest == highest ? lowest : "[" + lowest + ", " + highest + "]";
}
// "(0, 1000]": the lower end is not accepted.
std::string AcceptedAbove(auto below, auto most) {
  return "(" + ShowValue(below) + ", " + ShowValue(most) + "]";
}
std::string AcceptedAtLeast(auto least) { return "at least " + ShowValue(least); }
std::string AcceptedAtMost(auto most) { return "at most " + ShowValue(most); }

// ---- The refusal ----

// "found X; accepted: Y", for messages whose code or whose beginning is another one.
std::string FoundAndAccepted(std::string_view found, std::string_view accepted);

// INVALID_ARGUMENT about `field`: "field: found X; accepted: Y". `found` is a value as ShowValue
// gives it, with a unit where it needs one ("4097 tokens").
Status InvalidField(std::string field, std::string_view found, std::string_view accepted);

// The same where the caller knows the field: see Status::InField.
Status NotAccepted(std::string_view found, std::string_view accepted);

// OK, or the refusal of a number outside [least, most].
template <std::integral T>
Status CheckRange(std::string_view field, T found, std::type_identity_t<T> least,
                  std::type_identity_t<T> most) {
  if (found >= least && found <= most) return OkStatus();
  return InvalidField(std::string(field), ShowValue(found), AcceptedRange(least, most));
}

// The refusal of a text that is no UTF-8 from a byte on.
Status NotUtf8Field(std::string field, std::size_t invalid_at);

}  // namespace edgemoe
