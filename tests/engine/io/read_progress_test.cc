// SPDX-License-Identifier: Apache-2.0
// The retry rules against a kernel that the test plays.
#include "engine/io/read_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"

namespace edgemoe {
namespace {

using Next = ReadProgress::Next;
using testing::HasSubstr;

constexpr std::uint32_t kBytes = 4 * kReadAlignment;

class ReadProgressTest : public testing::Test {
 protected:
  ReadProgress Make(std::uint32_t bytes_needed) const {
    return ReadProgress({.offset = 8 * kReadAlignment,
                         .destination = memory_.data(),
                         .bytes = kBytes,
                         .bytes_needed = bytes_needed});
  }

  AlignedBuffer memory_ = *AlignedBuffer::Allocate(kBytes);
};

TEST_F(ReadProgressTest, WholeReadIsDone) {
  ReadProgress read = Make(kBytes);
  EXPECT_EQ(read.OnResult(kBytes), Next::kDone);
  EXPECT_EQ(read.bytes_read(), kBytes);
  EXPECT_EQ(read.retries(), 0u);
  EXPECT_TRUE(read.StatusFor("f").ok());
}

TEST_F(ReadProgressTest, EndOfFileAfterWhatIsNeededIsDone) {
  ReadProgress read = Make(5000);
  EXPECT_EQ(read.OnResult(5000), Next::kDone);
  EXPECT_EQ(read.bytes_read(), 5000u);
}

TEST_F(ReadProgressTest, ShortReadIsResumedAtItsBlock) {
  ReadProgress read = Make(kBytes);
  ASSERT_EQ(read.OnResult(kReadAlignment + 512), Next::kAgain);
  EXPECT_EQ(read.offset(), 9 * kReadAlignment);
  EXPECT_EQ(read.destination(), memory_.data() + kReadAlignment);
  EXPECT_EQ(read.bytes(), 3 * kReadAlignment);
  EXPECT_EQ(read.OnResult(3 * kReadAlignment), Next::kDone);
  EXPECT_EQ(read.bytes_read(), kBytes);
  EXPECT_EQ(read.retries(), 1u);
}

TEST_F(ReadProgressTest, NothingMeansEndOfFile) {
  ReadProgress read = Make(kBytes);
  ASSERT_EQ(read.OnResult(kReadAlignment), Next::kAgain);
  ASSERT_EQ(read.OnResult(0), Next::kFailed);
  const Status status = read.StatusFor("model.gguf");
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("model.gguf at offset 36864"));
  EXPECT_THAT(status.message(), HasSubstr("the file ends after 4096 of 16384 bytes"));
}

TEST_F(ReadProgressTest, FileThatEndsInsideABlockEndsAfterBoundedRetries) {
  ReadProgress read = Make(kBytes);
  int attempts = 1;
  while (read.OnResult(100) == Next::kAgain) ++attempts;
  EXPECT_EQ(attempts, kReadRetriesMax + 1);
  EXPECT_THAT(read.StatusFor("f").message(), HasSubstr("the file ends after 100 of 16384"));
  EXPECT_EQ(read.bytes_read(), 100u);
}

TEST_F(ReadProgressTest, InterruptedAndBusyAreRetriedAndBounded) {
  for (const int error : {EINTR, EAGAIN}) {
    ReadProgress read = Make(kBytes);
    for (int i = 0; i < kReadRetriesMax; ++i) ASSERT_EQ(read.OnResult(-error), Next::kAgain);
    ASSERT_EQ(read.OnResult(-error), Next::kFailed);
    EXPECT_EQ(read.StatusFor("f").code(), StatusCode::kUnavailable);
  }
}

TEST_F(ReadProgressTest, SuccessAfterTheLastRetryCounts) {
  ReadProgress read = Make(kBytes);
  for (int i = 0; i < kReadRetriesMax; ++i) ASSERT_EQ(read.OnResult(-EINTR), Next::kAgain);
  EXPECT_EQ(read.OnResult(kBytes), Next::kDone);
  EXPECT_TRUE(read.StatusFor("f").ok());
}

TEST_F(ReadProgressTest, OtherErrorsAreDataLossAtOnce) {
  for (const int error : {EIO, EINVAL, EBADF, ENOMEM, ENODEV}) {
    ReadProgress read = Make(kBytes);
    ASSERT_EQ(read.OnResult(-error), Next::kFailed);
    const Status status = read.StatusFor("model.gguf");
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr("model.gguf at offset 32768"));
  }
}

// Whatever the kernel does, the read ends, stays aligned and inside its range, and says OK only
// when all that is needed is there.
TEST_F(ReadProgressTest, RandomKernels) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    Random random(seed);
    const auto needed = static_cast<std::uint32_t>(random.NextBelow(kBytes + 1));
    const std::uint64_t file_bytes = 8 * kReadAlignment + random.NextBelow(2 * kBytes);
    ReadProgress read = Make(needed);
    int attempts = 0;
    for (Next next = Next::kAgain; next == Next::kAgain; ++attempts) {
      ASSERT_LE(attempts, kReadRetriesMax);
      ASSERT_EQ(read.offset() % kReadAlignment, 0u);
      ASSERT_EQ(read.offset() + read.bytes(), 8 * kReadAlignment + kBytes);
      ASSERT_EQ(read.destination() - memory_.data(),
                static_cast<std::ptrdiff_t>(read.offset() - 8 * kReadAlignment));
      const std::uint64_t there =
          std::min<std::uint64_t>(read.bytes(), file_bytes - std::min(file_bytes, read.offset()));
      std::int64_t result = static_cast<std::int64_t>(there);
      if (random.NextBelow(4) == 0) result = random.NextBelow(2) == 0 ? -EINTR : -EAGAIN;
      if (random.NextBelow(4) == 0 && there > 0)
        result = static_cast<std::int64_t>(1 + random.NextBelow(there));
      next = read.OnResult(result);
    }
    const bool ok = read.StatusFor("f").ok();
    ASSERT_EQ(ok, read.bytes_read() >= needed) << seed;
    if (ok) {
      ASSERT_LE(8 * kReadAlignment + needed, file_bytes) << seed;
    }
  }
}

}  // namespace
}  // namespace edgemoe
