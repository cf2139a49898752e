// SPDX-License-Identifier: Apache-2.0
//
// How SentencePiece and its kin write tokens: UTF-8 with U+2581 for a space, and "<0xAB>" for a
// byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgemoe {

constexpr char32_t kSpaceMark = 0x2581;
constexpr std::string_view kSpaceMarkText = "\u2581";

// The text with spaces for their marks.
std::string ReplaceSpaceMarks(std::string_view text);

// "<0xAB>".
std::string ByteTokenText(std::uint8_t byte);
// The byte of such a text, in capital or small letters.
std::optional<std::uint8_t> ByteOfTokenText(std::string_view text);

}  // namespace edgemoe
