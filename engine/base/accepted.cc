// SPDX-License-Identifier: Apache-2.0
#include "engine/base/accepted.h"

#include <cstdio>
#include <utility>

#include "engine/base/utf8.h"

namespace edgemoe {

std::string ShowValue(std::string_view text, std::size_t bytes_max) {
  std::string shown = "\"";
  std::size_t at = 0;
  while (at < text.size() && at < bytes_max) {
    const Utf8Character character = DecodeUtf8(text, at);
    const bool printable = character.kind == Utf8Character::Kind::kValid &&
                           character.code_point >= ' ' && character.code_point != 0x7F &&
                           (character.code_point < 0x80 || character.code_point > 0x9F);
    if (printable)
      shown += text.substr(at, character.bytes);
    else
      shown += '?';
    at += character.bytes;
  }
  shown += '"';
  if (at < text.size()) shown += "... of " + std::to_string(text.size()) + " bytes";
  return shown;
}

std::string ShowValue(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", number);
  return text;
}

std::string AcceptedNames(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + ShowValue(name);
  return text;
}

std::string FoundAndAccepted(std::string_view found, std::string_view accepted) {
  return "found " + std::string(found) + "; accepted: " + std::string(accepted);
}

Status InvalidField(std::string field, std::string_view found, std::string_view accepted) {
  return InvalidFieldError(std::move(field), FoundAndAccepted(found, accepted));
}

Status NotAccepted(std::string_view found, std::string_view accepted) {
  return InvalidArgumentError(FoundAndAccepted(found, accepted));
}

Status NotUtf8Field(std::string field, std::size_t invalid_at) {
  return InvalidFieldError(
      std::move(field),
      "is not UTF-8 from byte " + std::to_string(invalid_at) + " on; accepted: UTF-8 text");
}

}  // namespace edgemoe
