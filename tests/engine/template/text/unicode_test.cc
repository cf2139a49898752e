// SPDX-License-Identifier: Apache-2.0
//
// Every character, against what Python 3.11 says of it (Unicode 14.0, as the tables are).
#include "engine/template/text/unicode.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace edgemoe::jinja {
namespace {

constexpr char32_t kCharactersEnd = 0x110000;

// FNV-1a of what `append` writes of each character, a line each. In Python, for str.upper:
//   h = 0xcbf29ce484222325
//   for c in map(chr, (c for c in range(0x110000) if not 0xD800 <= c < 0xE000)):
//       for b in (c.upper() + "\n").encode(): h = (h ^ b) * 0x100000001b3 % 2**64
template <class Append>
std::uint64_t DigestOfAll(Append append) {
  std::uint64_t digest = 0xcbf29ce484222325;
  std::string line;
  for (char32_t c = 0; c < kCharactersEnd; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    line.clear();
    append(c, line);
    line += '\n';
    for (const char byte : line)
      digest = (digest ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return digest;
}

std::uint64_t DigestOfClass(bool (*is_in)(char32_t)) {
  return DigestOfAll([is_in](char32_t c, std::string& line) { line += is_in(c) ? '1' : '0'; });
}

TEST(Unicode, CasesAreThoseOfPython) {
  EXPECT_EQ(DigestOfAll(AppendUpper), 0xbb77fda97fc93dc4U);
  EXPECT_EQ(DigestOfAll(AppendLower), 0x45c0f3d4d1933888U);
  EXPECT_EQ(DigestOfAll(AppendTitle), 0xf303849e11cadde9U);
}

// For classes "1" or "0" stands in each line.
TEST(Unicode, ClassesAreThoseOfPython) {
  EXPECT_EQ(DigestOfClass(IsAlphabetic), 0x5fe1ee07001f3f6dU);
  EXPECT_EQ(DigestOfClass(IsDigit), 0x3c04b9f819697dd5U);
  EXPECT_EQ(DigestOfClass(IsNumeric), 0xb2cb8247c74964adU);
  EXPECT_EQ(DigestOfClass(IsPrintable), 0x2738f45e65015e8dU);
  EXPECT_EQ(DigestOfClass(IsUppercase), 0x75ba35145ac29cb4U);
  EXPECT_EQ(DigestOfClass(IsLowercase), 0xca0a444ae5a6698cU);
}

}  // namespace
}  // namespace edgemoe::jinja
