// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/byte_alphabet.h"

#include <array>

#include "engine/base/utf8.h"

namespace edgemoe {

namespace {

constexpr char32_t kFirstStandIn = 0x100;
constexpr std::size_t kStandInCount = 68;

constexpr bool StandsForItself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<std::uint8_t, kStandInCount> MakeStoodFor() {
  std::array<std::uint8_t, kStandInCount> bytes{};
  std::size_t count = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!StandsForItself(byte)) bytes[count++] = static_cast<std::uint8_t>(byte);
  }
  return bytes;
}
constexpr std::array<std::uint8_t, kStandInCount> kStoodFor = MakeStoodFor();

}  // namespace

std::string ByteToAlphabet(std::uint8_t byte) {
  char32_t code_point = byte;
  if (!StandsForItself(byte)) {
    std::size_t index = 0;
    while (kStoodFor[index] != byte) ++index;
    code_point = kFirstStandIn + static_cast<char32_t>(index);
  }
  std::string text;
  AppendUtf8(code_point, text);
  return text;
}

std::optional<std::uint8_t> AlphabetToByte(char32_t code_point) {
  if (code_point < kFirstStandIn) {
    if (!StandsForItself(code_point)) return std::nullopt;
    return static_cast<std::uint8_t>(code_point);
  }
  if (code_point >= kFirstStandIn + kStandInCount) return std::nullopt;
  return kStoodFor[code_point - kFirstStandIn];
}

std::string DecodeAlphabet(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t offset = 0; offset < text.size();) {
    const Utf8Character character = DecodeUtf8(text, offset);
    const auto byte = character.kind == Utf8Character::Kind::kValid
                          ? AlphabetToByte(character.code_point)
                          : std::nullopt;
    if (byte) {
      bytes.push_back(static_cast<char>(*byte));
    } else {
      bytes.append(text.substr(offset, character.bytes));
    }
    offset += character.bytes;
  }
  return bytes;
}

}  // namespace edgemoe
