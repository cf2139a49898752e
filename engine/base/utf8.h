// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 as Unicode defines it: no surrogates, no overlong forms, nothing above U+10FFFF. Bytes that
// are no character are handled as the "maximal subpart" of the standard: one U+FFFD for each
// longest prefix of a character that goes wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgemoe {

constexpr char32_t kReplacementCharacter = 0xFFFD;

struct Utf8Character {
  enum class Kind : std::uint8_t {
    kValid,
    kInvalid,     // `bytes` bytes can be no character, whatever follows
    kIncomplete,  // the text ends inside what may still become a character
  };
  char32_t code_point = kReplacementCharacter;
  std::uint32_t bytes = 1;  // [1, 4]
  Kind kind = Kind::kInvalid;
};

// The character that starts at `offset`, which lies before the end of `text`.
Utf8Character DecodeUtf8(std::string_view text, std::size_t offset);

// Appends the code point's 1 to 4 bytes; U+FFFD for what is no Unicode scalar value.
void AppendUtf8(char32_t code_point, std::string& text);

// Byte offset of the first byte that belongs to no character; npos when all of `text` is valid.
std::size_t FindInvalidUtf8(std::string_view text);

// Unicode's White_Space property.
bool IsUnicodeSpace(char32_t code_point);

}  // namespace edgemoe
