// SPDX-License-Identifier: Apache-2.0
#include "engine/io/throttled_reader.h"

#include <gtest/gtest.h>

#include "engine/base/system/aligned_buffer.h"
#include "engine/io/pread_reader.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kBlock = kReadAlignment;
constexpr std::uint64_t kMicrosecond = 1000;

// A device of one block a millisecond, with 100 us of latency.
class ThrottledReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    files_.push_back(*StorageFile::Open(file_.path()));
    reader_ = std::make_unique<ThrottledReader>(
        *PreadReader::Open(files_, {.depth = 8, .thread_count = 2}),
        ThrottledReader::Options{.bytes_per_second = kBlock * 1000,
                                 .latency_ns = 100 * kMicrosecond,
                                 .clock = &clock_,
                                 .sleep = [this](std::uint64_t ns) { clock_.Advance(ns); }});
  }

  void Submit(std::uint32_t blocks, std::uint64_t tag) {
    ASSERT_TRUE(reader_->TrySubmit({.destination = memory_.data() + tag * 4 * kBlock,
                                    .bytes = blocks * kBlock,
                                    .bytes_needed = blocks * kBlock,
                                    .tag = tag}));
  }

  std::uint64_t WaitForTag() {
    std::array<ReadCompletion, 1> completion;
    EXPECT_EQ(reader_->Wait(completion), 1u);
    EXPECT_TRUE(completion[0].status.ok());
    return completion[0].tag;
  }

  TestFile file_{16 * kBlock, 3};
  FakeClock clock_;
  std::vector<StorageFile> files_;
  AlignedBuffer memory_ = *AlignedBuffer::Allocate(8 * 4 * kBlock);
  std::unique_ptr<ThrottledReader> reader_;
};

TEST_F(ThrottledReaderTest, OneReadTakesTransferAndLatency) {
  Submit(2, 0);
  EXPECT_EQ(WaitForTag(), 0u);
  EXPECT_EQ(clock_.NowNs(), 2100 * kMicrosecond);
}

TEST_F(ThrottledReaderTest, TransfersQueueUpAndLatenciesOverlap) {
  for (std::uint64_t tag = 0; tag < 4; ++tag) Submit(1, tag);
  for (std::uint64_t tag = 0; tag < 4; ++tag) {
    EXPECT_EQ(WaitForTag(), tag);
    EXPECT_EQ(clock_.NowNs(), (1000 * (tag + 1) + 100) * kMicrosecond);
  }
}

TEST_F(ThrottledReaderTest, IdleTimeIsNotSavedUp) {
  clock_.Advance(50'000 * kMicrosecond);
  Submit(1, 0);
  EXPECT_EQ(WaitForTag(), 0u);
  EXPECT_EQ(clock_.NowNs(), 51'100 * kMicrosecond);
}

TEST_F(ThrottledReaderTest, PollWithholdsUntilTheModelledTime) {
  Submit(1, 0);
  std::array<ReadCompletion, 1> completion;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(reader_->Poll(completion), 0u);
  clock_.Advance(1100 * kMicrosecond - 1);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(reader_->Poll(completion), 0u);
  clock_.Advance(1);
  while (reader_->Poll(completion) == 0) {
  }
  EXPECT_EQ(completion[0].tag, 0u);
}

}  // namespace
}  // namespace edgemoe
