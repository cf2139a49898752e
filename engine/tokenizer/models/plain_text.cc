// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/plain_text.h"

#include <charconv>
#include <system_error>

namespace edgemoe {

std::string ReplaceSpaceMarks(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t mark = text.find(kSpaceMarkText, begin);
    plain.append(text.substr(begin, mark - begin));
    if (mark == std::string_view::npos) break;
    plain += ' ';
    begin = mark + kSpaceMarkText.size();
  }
  return plain;
}

std::string ByteTokenText(std::uint8_t byte) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'};
}

std::optional<std::uint8_t> ByteOfTokenText(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text.back() != '>') return std::nullopt;
  std::uint8_t value = 0;
  const char* first = text.data() + 3;
  const auto [end, error] = std::from_chars(first, first + 2, value, 16);
  if (error != std::errc() || end != first + 2) return std::nullopt;
  return value;
}

}  // namespace edgemoe
