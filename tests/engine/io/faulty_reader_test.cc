// SPDX-License-Identifier: Apache-2.0
#include "engine/io/faulty_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/system/aligned_buffer.h"
#include "engine/io/pread_reader.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kBlock = kReadAlignment;
constexpr std::size_t kDepth = 16;

class FaultyReaderTest : public testing::Test {
 protected:
  void SetUp() override { files_.push_back(*StorageFile::Open(file_.path())); }

  void Open(std::string_view plan_text) {
    auto plan = ParseFaultSchedule(plan_text);
    ASSERT_TRUE(plan) << plan.error().ToString();
    reader_ = std::make_unique<FaultyReader>(
        *PreadReader::Open(files_, {.depth = kDepth, .thread_count = 1}), *plan);
  }

  ReadRequest Request(std::size_t block, std::uint64_t tag) const {
    return {.offset = block * kBlock,
            .destination = memory_.data() + tag % kDepth * 4 * kBlock,
            .bytes = 4 * kBlock,
            .bytes_needed = 4 * kBlock,
            .tag = tag};
  }

  // The codes of one read of 4 blocks at each of these blocks, one after another.
  std::vector<StatusCode> ReadAt(const std::vector<std::size_t>& blocks) {
    std::vector<StatusCode> codes;
    std::array<ReadCompletion, 1> completion;
    for (const std::size_t block : blocks) {
      EXPECT_TRUE(reader_->TrySubmit(Request(block, 0)));
      EXPECT_EQ(reader_->Wait(completion), 1u);
      codes.push_back(completion[0].status.code());
      last_ = completion[0];
    }
    return codes;
  }

  // All of 16 reads in flight at once; the tags in the order of completion.
  std::vector<std::uint64_t> ReadTogether() {
    for (std::size_t i = 0; i < kDepth; ++i) EXPECT_TRUE(reader_->TrySubmit(Request(i, i)));
    std::vector<std::uint64_t> tags;
    std::array<ReadCompletion, kDepth> completions;
    while (const std::size_t count = reader_->Wait(completions))
      for (std::size_t i = 0; i < count; ++i) tags.push_back(completions[i].tag);
    return tags;
  }

  static constexpr StatusCode kOk = StatusCode::kOk;
  static constexpr StatusCode kLost = StatusCode::kDataLoss;

  TestFile file_{64 * kBlock, 3};
  std::vector<StorageFile> files_;
  AlignedBuffer memory_ = *AlignedBuffer::Allocate(kDepth * 4 * kBlock);
  std::unique_ptr<FaultyReader> reader_;
  ReadCompletion last_;
};

TEST_F(FaultyReaderTest, BreaksTheNthRequest) {
  Open("eio:after=1");
  EXPECT_THAT(ReadAt({0, 0, 0}), ElementsAre(kOk, kLost, kOk));
  EXPECT_EQ(reader_->fault_count(), 1u);
  EXPECT_EQ(reader_->counters().errors, 1u);
  EXPECT_EQ(reader_->counters().reads, 3u);
}

TEST_F(FaultyReaderTest, BreaksARangeOfBytes) {
  Open("eio:begin=40960,end=40961");
  EXPECT_THAT(ReadAt({6, 7, 10, 11}), ElementsAre(kOk, kLost, kLost, kOk));
}

TEST_F(FaultyReaderTest, BreaksSoManyTimes) {
  Open("eio:count=2");
  EXPECT_THAT(ReadAt({0, 0, 0}), ElementsAre(kLost, kLost, kOk));
}

TEST_F(FaultyReaderTest, BreaksAlways) {
  Open("eio");
  EXPECT_THAT(ReadAt({0, 1, 2}), ElementsAre(kLost, kLost, kLost));
  EXPECT_THAT(last_.status.message(), HasSubstr("offset 8192"));
}

TEST_F(FaultyReaderTest, EndOfFileStopsABlockEarly) {
  Open("eof:count=1");
  EXPECT_THAT(ReadAt({0}), ElementsAre(kLost));
  EXPECT_EQ(last_.bytes_read, 3 * kBlock);
}

TEST_F(FaultyReaderTest, Unavailable) {
  Open("busy:count=1");
  EXPECT_THAT(ReadAt({0, 0}), ElementsAre(StatusCode::kUnavailable, kOk));
}

TEST_F(FaultyReaderTest, ShortReadsSucceedInTheEnd) {
  Open("short");
  EXPECT_THAT(ReadAt({5}), ElementsAre(kOk));
  EXPECT_EQ(reader_->counters().retries, 1u);
  EXPECT_EQ(last_.bytes_read, 4 * kBlock);
  EXPECT_TRUE(std::ranges::equal(file_.bytes().subspan(5 * kBlock, 4 * kBlock),
                                 memory_.span().first(4 * kBlock)));
}

TEST_F(FaultyReaderTest, ReordersAndStillGivesEachOnce) {
  Open("late:calls=20;shuffle;random:seed=3");
  std::vector<std::uint64_t> tags = ReadTogether();
  EXPECT_FALSE(std::ranges::is_sorted(tags));
  std::ranges::sort(tags);
  ASSERT_EQ(tags.size(), kDepth);
  for (std::size_t i = 0; i < kDepth; ++i) EXPECT_EQ(tags[i], i);
}

TEST_F(FaultyReaderTest, SameSeedSameFaults) {
  Open("eio:every=2;random:seed=11");
  const auto codes = ReadAt({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_GT(reader_->fault_count(), 0u);
  EXPECT_LT(reader_->fault_count(), 10u);
  Open("eio:every=2;random:seed=11");
  EXPECT_EQ(ReadAt({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), codes);
}

}  // namespace
}  // namespace edgemoe
