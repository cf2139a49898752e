// SPDX-License-Identifier: Apache-2.0
//
// The alphabet in which byte-level BPE writes its tokens: each byte is one printable character.
// Printable Latin-1 bytes stand for themselves, the other 68 are U+0100 upwards in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgemoe {

// The character, in UTF-8, that stands for `byte`.
std::string ByteToAlphabet(std::uint8_t byte);

// The byte that `code_point` stands for, if it belongs to the alphabet.
std::optional<std::uint8_t> AlphabetToByte(char32_t code_point);

// The bytes that a token's text stands for; what is outside the alphabet is taken as it is.
std::string DecodeAlphabet(std::string_view text);

}  // namespace edgemoe
