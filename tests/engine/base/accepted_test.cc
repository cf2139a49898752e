// SPDX-License-Identifier: Apache-2.0
#include "engine/base/accepted.h"

#include <gtest/gtest.h>

#include <array>

namespace edgemoe {
namespace {

TEST(AcceptedTest, TextsAreShownInQuotesAndCut) {
  EXPECT_EQ(ShowValue("aio"), "\"aio\"");
  EXPECT_EQ(ShowValue(""), "\"\"");
  EXPECT_EQ(ShowValue("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  EXPECT_EQ(ShowValue("a\n\x1B[2J\x7F"), "\"a??[2J?\"");
  EXPECT_EQ(ShowValue("\xC2\x9B"), "\"?\"") << "a control character of two bytes";
  EXPECT_EQ(ShowValue("a\xFFz"), "\"a?z\"");
  EXPECT_EQ(ShowValue(std::string(80, 'x')), "\"" + std::string(80, 'x') + "\"");
  EXPECT_EQ(ShowValue(std::string(81, 'x')), "\"" + std::string(80, 'x') + "\"... of 81 bytes");
  // A character is not cut in two.
  EXPECT_EQ(ShowValue(std::string(79, 'x') + "\xC3\xA9y"),
            "\"" + std::string(79, 'x') + "\xC3\xA9\"... of 82 bytes");
}

TEST(AcceptedTest, Numbers) {
  EXPECT_EQ(ShowValue(-3), "-3");
  EXPECT_EQ(ShowValue(~std::uint64_t{0}), "18446744073709551615");
  EXPECT_EQ(ShowValue(0.25), "0.25");
  EXPECT_EQ(ShowValue(1e300), "1e+300");
}

TEST(AcceptedTest, NamesAndRanges) {
  constexpr std::array<std::string_view, 3> kNames = {"auto", "io_uring", "pread"};
  EXPECT_EQ(AcceptedNames(kNames), "\"auto\", \"io_uring\", \"pread\"");
  EXPECT_EQ(AcceptedRange(1, 64), "[1, 64]");
  EXPECT_EQ(AcceptedRange(1, 1), "1");
  EXPECT_EQ(AcceptedAbove(0, 2.5), "(0, 2.5]");
  EXPECT_EQ(AcceptedAtLeast(4), "at least 4");
  EXPECT_EQ(AcceptedAtMost(4), "at most 4");
}

TEST(AcceptedTest, ARefusalNamesFieldValueAndWhatIsAccepted) {
  const Status status = InvalidField("sampling.top_p", ShowValue(2), AcceptedAbove(0, 1));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "sampling.top_p: found 2; accepted: (0, 1]");
  EXPECT_EQ(status.field(), "sampling.top_p");
  EXPECT_EQ(NotAccepted("2", "[0, 1]").InField("top_p"), InvalidField("top_p", "2", "[0, 1]"));
  EXPECT_EQ(NotUtf8Field("text", 7),
            InvalidFieldError("text", "is not UTF-8 from byte 7 on; accepted: UTF-8 text"));
}

TEST(AcceptedTest, RangesAreCheckedWithTheirEnds) {
  EXPECT_EQ(CheckRange("threads", 1, 1, 64), OkStatus());
  EXPECT_EQ(CheckRange("threads", 64, 1, 64), OkStatus());
  EXPECT_EQ(CheckRange("threads", 0, 1, 64), InvalidField("threads", "0", "[1, 64]"));
  EXPECT_EQ(CheckRange("threads", 65, 1, 64), InvalidField("threads", "65", "[1, 64]"));
}

}  // namespace
}  // namespace edgemoe
