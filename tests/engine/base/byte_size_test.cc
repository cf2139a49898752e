// SPDX-License-Identifier: Apache-2.0
#include "engine/base/byte_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(ByteSizeTest, ParsesNumbersWithUnits) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"0", 0},
      {"4096", 4096},
      {"12B", 12},
      {"1200MiB", 1200 * kMiB},
      {"1.5GiB", kGiB + kGiB / 2},
      {"64 MiB", 64 * kMiB},
      {"10MB", 10000000},
      {"2G", 2 * kGiB},
      {"3K", 3 * kKiB},
      {"1kB", 1000},
      {"1T", 1024 * kGiB},
      {"0.5KiB", 512},
      {"1200mib", 1200 * kMiB},
      {"1MIB", kMiB},
      {"2g", 2 * kGiB},
      {"10mb", 10000000},
      {"7b", 7},
  };
  for (const auto& [text, bytes] : cases) {
    const Result<std::uint64_t> parsed = ParseByteSize(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(ByteSizeTest, RefusesTheRestAndSaysWhatIsAccepted) {
  for (const char* text : {"", " ", "MiB", "-1", "-1MiB", "1 2", "1XiB", "1mi", "nan", "inf",
                           "1e400", "99999999999TiB", "1MiB "}) {
    const Result<std::uint64_t> parsed = ParseByteSize(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(), testing::HasSubstr("\"" + std::string(text) + "\""));
    EXPECT_THAT(parsed.error().message(), testing::HasSubstr("1200MiB"));
  }
}

TEST(ByteSizeTest, FormatsForPeople) {
  EXPECT_EQ(FormatByteSize(0), "0 B");
  EXPECT_EQ(FormatByteSize(12), "12 B");
  EXPECT_EQ(FormatByteSize(1023), "1023 B");
  EXPECT_EQ(FormatByteSize(kKiB), "1.00 KiB");
  EXPECT_EQ(FormatByteSize(640 * kMiB), "640 MiB");
  EXPECT_EQ(FormatByteSize(1200 * kMiB), "1.17 GiB");
  EXPECT_EQ(FormatByteSize(~std::uint64_t{0}), "16777216 TiB");
}

TEST(ByteSizeTest, TheLeastIsEnoughWhenReadBack) {
  EXPECT_EQ(FormatLeastByteSize(36'070'272), "35 MiB");
  EXPECT_EQ(FormatLeastByteSize(34 * kMiB), "34 MiB");
  EXPECT_EQ(FormatLeastByteSize(12), "12 B");
  for (std::uint64_t bytes = 1; bytes < 4'000 * kGiB; bytes = bytes * 5 / 3 + 1)
    EXPECT_GE(ParseByteSize(FormatLeastByteSize(bytes)).value_or(0), bytes);
}

}  // namespace
}  // namespace edgemoe
