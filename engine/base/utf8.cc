// SPDX-License-Identifier: Apache-2.0
#include "engine/base/utf8.h"

#include "engine/base/check.h"

namespace edgemoe {

namespace {

// What the first byte says: length of the character and the range of the second byte, which is
// where overlong forms, surrogates and code points above U+10FFFF are ruled out.
struct Lead {
  std::uint32_t bytes;  // 0: not a first byte
  unsigned char second_min;
  unsigned char second_max;
};

Lead ClassifyLead(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Character DecodeUtf8(std::string_view text, std::size_t offset) {
  EDGEMOE_DCHECK(offset < text.size(), "offset must lie inside the text");
  const auto first = static_cast<unsigned char>(text[offset]);
  const Lead lead = ClassifyLead(first);
  if (lead.bytes == 0) return {};
  if (lead.bytes == 1) return {first, 1, Utf8Character::Kind::kValid};
  auto code_point = static_cast<char32_t>(first & (0x7F >> lead.bytes));
  for (std::uint32_t i = 1; i < lead.bytes; ++i) {
    if (offset + i >= text.size()) {
      return {kReplacementCharacter, i, Utf8Character::Kind::kIncomplete};
    }
    const auto byte = static_cast<unsigned char>(text[offset + i]);
    const unsigned char least = i == 1 ? lead.second_min : 0x80;
    const unsigned char most = i == 1 ? lead.second_max : 0xBF;
    if (byte < least || byte > most) {
      return {kReplacementCharacter, i, Utf8Character::Kind::kInvalid};
    }
    code_point = code_point << 6 | static_cast<char32_t>(byte & 0x3F);
  }
  return {code_point, lead.bytes, Utf8Character::Kind::kValid};
}

void AppendUtf8(char32_t code_point, std::string& text) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    code_point = kReplacementCharacter;
  }
  const auto tail = [&](unsigned shift) {
    text.push_back(static_cast<char>(0x80 | (code_point >> shift & 0x3F)));
  };
  if (code_point < 0x80) {
    text.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    text.push_back(static_cast<char>(0xC0 | code_point >> 6));
    tail(0);
  } else if (code_point < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | code_point >> 12));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | code_point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::size_t FindInvalidUtf8(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    if (static_cast<unsigned char>(text[offset]) < 0x80) {
      ++offset;
      continue;
    }
    const Utf8Character character = DecodeUtf8(text, offset);
    if (character.kind != Utf8Character::Kind::kValid) return offset;
    offset += character.bytes;
  }
  return std::string_view::npos;
}

bool IsUnicodeSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace edgemoe
