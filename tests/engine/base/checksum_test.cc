// SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// As `xxhsum -H3` and `xxhsum -H2` print them.
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(ChecksumText(Checksum64Of(Bytes(""))), "2d06800538d394c2");
  EXPECT_EQ(ChecksumText(Checksum64Of(Bytes("edgemoe"))), "3543e2d701a299c7");
  EXPECT_EQ(Digest128Of(Bytes("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(Digest128Of(Bytes("edgemoe")), "b7f81fe94ecf6b303b26cbff72c54eac");
}

TEST(Checksum, IsTheSameHoweverTheBytesAreCut) {
  const std::vector<std::byte> bytes = RandomBytes(10000, 3);
  const std::uint64_t whole = Checksum64Of(bytes);
  for (const std::size_t step : {1u, 7u, 255u, 256u, 257u, 4096u, 10000u}) {
    Checksum64 pieces;
    for (std::size_t at = 0; at < bytes.size(); at += step)
      pieces.Update(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
    EXPECT_EQ(pieces.value(), whole) << step;
    Digest128 digest;
    for (std::size_t at = 0; at < bytes.size(); at += step)
      digest.Update(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
    EXPECT_EQ(digest.text(), Digest128Of(bytes)) << step;
  }
}

TEST(Checksum, TellsAFlippedBit) {
  std::vector<std::byte> bytes = RandomBytes(300, 4);
  const std::uint64_t right = Checksum64Of(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(Checksum64Of(bytes), right) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

}  // namespace
}  // namespace edgemoe
