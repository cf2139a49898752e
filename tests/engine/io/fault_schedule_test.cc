// SPDX-License-Identifier: Apache-2.0
#include "engine/io/fault_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/io/pread_reader.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

TEST(FaultScheduleTest, ParsesRules) {
  const auto faults = ParseFaultSchedule(
      "eio:after=100,count=4,every=4,begin=1,end=2,file=3;short:every=5;busy;eof:after=7;"
      "eio:layer=1,expert=2");
  ASSERT_TRUE(faults) << faults.error().ToString();
  ASSERT_EQ(faults->rules.size(), 5u);
  const FaultRule& rule = faults->rules[0];
  EXPECT_EQ(rule.kind, FaultKind::kIoError);
  EXPECT_EQ(rule.after, 100u);
  EXPECT_EQ(rule.count_max, 4u);
  EXPECT_EQ(rule.probability, 0.25);
  EXPECT_EQ(rule.offset_begin, 1u);
  EXPECT_EQ(rule.offset_end, 2u);
  EXPECT_EQ(rule.file_index, 3u);
  EXPECT_FALSE(rule.expert);
  EXPECT_EQ(faults->rules[1].kind, FaultKind::kShortRead);
  EXPECT_EQ(faults->rules[1].probability, 0.2);
  EXPECT_EQ(faults->rules[1].count_max, FaultRule::kNoLimit);
  EXPECT_EQ(faults->rules[2].kind, FaultKind::kUnavailable);
  EXPECT_EQ(faults->rules[2].count_max, FaultRule::kNoLimit) << "without conditions: always";
  EXPECT_EQ(faults->rules[3].kind, FaultKind::kEndOfFile);
  EXPECT_EQ(faults->rules[3].count_max, 1u) << "`after` alone breaks one";
  ASSERT_TRUE(faults->rules[4].expert);
  EXPECT_EQ(*faults->rules[4].expert, (ExpertKey{ExpertLayerIndex{1}, ExpertIndex{2}}));
}

TEST(FaultScheduleTest, ParsesTimesAndOrders) {
  const auto faults = ParseFaultSchedule("slow:ms=2;late:calls=7;shuffle;random:seed=9");
  ASSERT_TRUE(faults) << faults.error().ToString();
  EXPECT_EQ(faults->slow_ms, 2u);
  EXPECT_EQ(faults->late_calls_max, 7u);
  EXPECT_TRUE(faults->shuffle);
  EXPECT_EQ(faults->seed, 9u);
  EXPECT_TRUE(faults->breaks_reads());
  EXPECT_TRUE(ParseFaultSchedule("")->empty());
  EXPECT_FALSE(ParseFaultSchedule("slow:ms=2")->breaks_reads());
  EXPECT_FALSE(ParseFaultSchedule("slow:ms=2")->empty());
}

TEST(FaultScheduleTest, TakesEachFormThatItsGrammarOffers) {
  for (const char* text :
       {"eio:after=3", "eio:after=3,count=2", "eio:layer=1,expert=7", "short:every=5",
        "slow:ms=60000", "busy:after=3", "eof:layer=0,expert=0", "eio:after=3;slow:ms=1"})
    EXPECT_TRUE(ParseFaultSchedule(text)) << text;
}

TEST(FaultScheduleTest, RefusesEverythingElseWithTheGrammar) {
  for (const char* text : {"eio:after",
                           "eio:after=",
                           "eio:after=x",
                           "eio:after=-1",
                           "eio:after=1,after=2",
                           "eio:layer=1",
                           "eio:expert=1",
                           "eio:layer=4294967295,expert=0",
                           "eio:nth=3",
                           "eio:after=99999999999999",
                           "short:every=0",
                           "slow",
                           "slow:ms=60001",
                           "slow:ms=1,after=2",
                           "late:calls=1001",
                           "random:seed=",
                           "shuffle:n=1",
                           "fire:now=1",
                           ";",
                           "eio;;slow:ms=1"}) {
    const auto faults = ParseFaultSchedule(text);
    ASSERT_FALSE(faults) << text;
    EXPECT_EQ(faults.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(faults.error().message(), HasSubstr("; accepted: " + std::string(kFaultGrammar)));
  }
  std::string parts = "eio";
  for (std::size_t i = 1; i < kFaultPartsMax; ++i) parts += ";eio";
  EXPECT_TRUE(ParseFaultSchedule(parts));
  EXPECT_THAT(ParseFaultSchedule(parts + ";eio").error().message(), HasSubstr("at most 64"));
}

TEST(AddFaultsTest, WrapsOnlyWhatIsAskedFor) {
  const TestFile file(4 * kReadAlignment, 1);
  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(file.path()));
  const FakeClock clock;
  const auto name = [&](std::string_view text) {
    return std::string(
        AddFaults(*PreadReader::Open(files, {}), *ParseFaultSchedule(text), clock)->name());
  };
  const std::string plain = name("");
  EXPECT_EQ(plain, std::string((*PreadReader::Open(files, {}))->name()));
  EXPECT_EQ(name("eio:after=1"), "faulty");
  EXPECT_EQ(name("shuffle"), "faulty");
  EXPECT_EQ(name("slow:ms=1"), "throttled");
}

}  // namespace
}  // namespace edgemoe
