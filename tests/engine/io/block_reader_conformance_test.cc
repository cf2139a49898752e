// SPDX-License-Identifier: Apache-2.0
// What block_reader.h promises, of every reader there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/io/faulty_reader.h"
#include "engine/io/pread_reader.h"
#include "engine/io/throttled_reader.h"
#include "engine/io/uring_reader.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::size_t kDepth = 8;
constexpr std::size_t kBlock = kReadAlignment;
constexpr std::size_t kFirstFileBytes = 64 * kBlock + 1234;  // ends inside a block
constexpr std::size_t kSecondFileBytes = 16 * kBlock;

using Opened = Result<std::unique_ptr<BlockReader>>;

struct Variant {
  const char* name;
  // `memory` is what all destinations lie in; `clock` for those that need one.
  std::function<Opened(std::span<const StorageFile>, std::span<std::byte> memory, FakeClock&)> open;
};

Opened OpenUring(std::span<const StorageFile> files, std::span<std::byte> fixed_buffer) {
  auto reader = UringReader::Open(files, {.depth = kDepth});
  if (!reader) return Failure(reader.error());
  // In two regions, as a slab of two classes.
  const std::size_t middle = AlignDown(fixed_buffer.size() / 2, kBlock);
  const std::span<std::byte> regions[] = {fixed_buffer.first(middle), fixed_buffer.subspan(middle)};
  if (!fixed_buffer.empty()) (void)(*reader)->SetFixedBuffers(regions);
  return *std::move(reader);
}

Opened OpenPread(std::span<const StorageFile> files, PreadReader::PreadCall pread = {}) {
  auto reader =
      PreadReader::Open(files, {.depth = kDepth, .thread_count = 3, .pread = std::move(pread)});
  if (!reader) return Failure(reader.error());
  return *std::move(reader);
}

// A kernel that is interrupted, busy or stops early in one call of five.
PreadReader::PreadCall BadKernel() {
  auto calls = std::make_shared<std::atomic<std::uint64_t>>(0);
  return [calls](int fd, void* memory, std::size_t bytes, off_t offset) -> ssize_t {
    Random random(calls->fetch_add(1));
    switch (random.NextBelow(15)) {
      case 0: errno = EINTR; return -1;
      case 1: errno = EAGAIN; return -1;
      case 2: return ::pread(fd, memory, AlignUp(1 + random.NextBelow(bytes), kBlock), offset);
      default: return ::pread(fd, memory, bytes, offset);
    }
  };
}

Opened Faulty(Opened inner, FaultSchedule plan) {
  if (!inner) return inner;
  return std::make_unique<FaultyReader>(*std::move(inner), std::move(plan));
}

const Variant kVariants[] = {
    {"uring", [](auto files, auto, auto&) { return OpenUring(files, {}); }},
    {"uring_fixed", [](auto files, auto memory, auto&) { return OpenUring(files, memory); }},
    {"pread", [](auto files, auto, auto&) { return OpenPread(files); }},
    {"pread_bad_kernel", [](auto files, auto, auto&) { return OpenPread(files, BadKernel()); }},
    {"faulty_without_faults",
     [](auto files, auto, auto&) { return Faulty(OpenPread(files), FaultSchedule{}); }},
    {"faulty_short_delayed_reordered",
     [](auto files, auto, auto&) {
       return Faulty(OpenPread(files), *ParseFaultSchedule("short:every=2;late:calls=5;shuffle"));
     }},
    {"faulty_uring",
     [](auto files, auto memory, auto&) {
       return Faulty(OpenUring(files, memory), *ParseFaultSchedule("short;late:calls=2"));
     }},
    {"throttled",
     [](auto files, auto, FakeClock& clock) -> Opened {
       return std::make_unique<ThrottledReader>(
           *OpenPread(files),
           ThrottledReader::Options{.bytes_per_second = 1'000'000,
                                    .latency_ns = 50'000,
                                    .clock = &clock,
                                    .sleep = [&clock](std::uint64_t ns) { clock.Advance(ns); }});
     }},
};

class BlockReaderTest : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    for (const TestFile* file : {&first_, &second_}) {
      auto opened = StorageFile::Open(file->path());
      ASSERT_TRUE(opened) << opened.error().ToString();
      files_.push_back(*std::move(opened));
    }
    auto reader = GetParam().open(files_, memory_.span(), clock_);
    if (!reader && reader.error().code() == StatusCode::kUnavailable)
      GTEST_SKIP() << "SKIPPED: " << reader.error().ToString();
    ASSERT_TRUE(reader) << reader.error().ToString();
    reader_ = *std::move(reader);
  }

  const TestFile& File(std::uint32_t index) const { return index == 0 ? first_ : second_; }

  ReadRequest Request(std::uint32_t file, std::size_t block, std::size_t blocks,
                      std::size_t memory_block, std::uint64_t tag) const {
    return {.file_index = file,
            .offset = block * kBlock,
            .destination = memory_.data() + memory_block * kBlock,
            .bytes = static_cast<std::uint32_t>(blocks * kBlock),
            .bytes_needed = static_cast<std::uint32_t>(blocks * kBlock),
            .tag = tag};
  }

  ReadCompletion WaitForOne() {
    std::array<ReadCompletion, 1> completion;
    EXPECT_EQ(reader_->Wait(completion), 1u);
    return completion[0];
  }

  ReadCompletion ReadOne(const ReadRequest& request) {
    EXPECT_TRUE(reader_->TrySubmit(request));
    return WaitForOne();
  }

  bool HoldsFile(const ReadRequest& request) const {
    const auto expected =
        File(request.file_index).bytes().subspan(request.offset, request.bytes_needed);
    return std::equal(expected.begin(), expected.end(), request.destination);
  }

  TestFile first_{kFirstFileBytes, 1};
  TestFile second_{kSecondFileBytes, 2};
  AlignedBuffer memory_ = *AlignedBuffer::Allocate(kDepth * 8 * kBlock);
  FakeClock clock_;
  std::vector<StorageFile> files_;
  std::unique_ptr<BlockReader> reader_;
};

TEST_P(BlockReaderTest, IdleReaderGivesNothing) {
  std::array<ReadCompletion, 2> completions;
  EXPECT_EQ(reader_->Poll(completions), 0u);
  EXPECT_EQ(reader_->Wait(completions), 0u);
  EXPECT_EQ(reader_->in_flight(), 0u);
  EXPECT_EQ(reader_->depth(), kDepth);
}

TEST_P(BlockReaderTest, ReadsWhatTheFileHolds) {
  const ReadRequest request = Request(1, 3, 5, 0, 77);
  const ReadCompletion completion = ReadOne(request);
  EXPECT_TRUE(completion.status.ok()) << completion.status.ToString();
  EXPECT_EQ(completion.tag, 77u);
  EXPECT_EQ(completion.bytes_read, 5 * kBlock);
  EXPECT_TRUE(HoldsFile(request));
}

TEST_P(BlockReaderTest, ReadsFilesThatWereOpenedAgain) {
  const ReadRequest request = Request(0, 3, 5, 0, 1);
  ASSERT_TRUE(ReadOne(request).status.ok());
  files_[0] = *StorageFile::Open(second_.path());
  reader_->OnFilesReopened();
  const ReadCompletion completion = ReadOne(request);
  EXPECT_TRUE(completion.status.ok()) << completion.status.ToString();
  const auto expected = second_.bytes().subspan(request.offset, request.bytes);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), request.destination));
}

TEST_P(BlockReaderTest, RefusesMoreThanDepth) {
  for (std::size_t i = 0; i < kDepth; ++i) ASSERT_TRUE(reader_->TrySubmit(Request(0, i, 1, i, i)));
  EXPECT_FALSE(reader_->TrySubmit(Request(0, 0, 1, 0, 99)));
  EXPECT_EQ(reader_->in_flight(), kDepth);
  std::set<std::uint64_t> tags;
  for (std::size_t i = 0; i < kDepth; ++i) tags.insert(WaitForOne().tag);
  EXPECT_EQ(tags.size(), kDepth);
  EXPECT_EQ(tags.count(99), 0u);
  EXPECT_EQ(reader_->in_flight(), 0u);
  EXPECT_TRUE(reader_->TrySubmit(Request(0, 0, 1, 0, 99)));
  EXPECT_EQ(WaitForOne().tag, 99u);
}

TEST_P(BlockReaderTest, FileMayEndInsideTheLastBlock) {
  ReadRequest request = Request(0, 60, 8, 0, 5);
  request.bytes_needed = static_cast<std::uint32_t>(kFirstFileBytes - 60 * kBlock);
  const ReadCompletion completion = ReadOne(request);
  EXPECT_TRUE(completion.status.ok()) << completion.status.ToString();
  EXPECT_EQ(completion.bytes_read, request.bytes_needed);
  EXPECT_TRUE(HoldsFile(request));
}

TEST_P(BlockReaderTest, EndOfFileBeforeWhatIsNeededIsDataLoss) {
  ReadRequest request = Request(0, 60, 8, 0, 5);
  request.bytes_needed = static_cast<std::uint32_t>(kFirstFileBytes - 60 * kBlock + 1);
  const ReadCompletion completion = ReadOne(request);
  EXPECT_EQ(completion.status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(completion.tag, 5u);
  EXPECT_THAT(completion.status.message(), HasSubstr(first_.path()));
  EXPECT_EQ(reader_->counters().errors, 1u);
  // The reader lives on.
  EXPECT_TRUE(ReadOne(Request(0, 0, 1, 0, 6)).status.ok());
}

TEST_P(BlockReaderTest, ReadingBehindTheEndIsDataLoss) {
  const ReadCompletion completion = ReadOne(Request(1, 16, 1, 0, 1));
  EXPECT_EQ(completion.status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(completion.bytes_read, 0u);
}

TEST_P(BlockReaderTest, PollFindsEverythingWithoutWait) {
  for (std::size_t i = 0; i < kDepth; ++i)
    ASSERT_TRUE(reader_->TrySubmit(Request(0, i, 2, 2 * i, i)));
  reader_->Flush();
  std::set<std::uint64_t> tags;
  std::array<ReadCompletion, 3> completions;
  while (tags.size() < kDepth) {
    const std::size_t count = reader_->Poll(completions);
    ASSERT_LE(count, completions.size());
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(tags.insert(completions[i].tag).second);
    clock_.Advance(1000);
  }
  EXPECT_EQ(reader_->in_flight(), 0u);
}

// The destructor waits: afterwards the memory is the caller's, and nobody writes to it.
TEST_P(BlockReaderTest, DestructionWithReadsInFlight) {
  for (std::size_t i = 0; i < kDepth; ++i)
    ASSERT_TRUE(reader_->TrySubmit(Request(0, 8 * (i % 8), 8, 8 * i, i)));
  reader_->Flush();
  reader_.reset();
  const auto pattern = RandomBytes(memory_.bytes(), 9);
  std::ranges::copy(pattern, memory_.data());
  // Gives late writers the time that other reads take.
  const AlignedBuffer other = *AlignedBuffer::Allocate(8 * kBlock);
  reader_ = *GetParam().open(files_, other.span(), clock_);
  for (int i = 0; i < 32; ++i) {
    ReadRequest request = Request(0, 0, 8, 0, 0);
    request.destination = other.data();
    EXPECT_TRUE(ReadOne(request).status.ok());
  }
  EXPECT_TRUE(std::ranges::equal(pattern, memory_.span()));
}

TEST_P(BlockReaderTest, RandomTraffic) {
  Random random(4);
  std::map<std::uint64_t, ReadRequest> pending;
  std::vector<std::size_t> free_memory{0, 1, 2, 3, 4, 5, 6, 7};
  std::uint64_t submitted = 0;
  std::uint64_t bytes = 0;
  std::array<ReadCompletion, kDepth> completions;
  while (submitted < 600 || !pending.empty()) {
    while (submitted < 600 && !free_memory.empty() && random.NextBelow(4) > 0) {
      const auto file = static_cast<std::uint32_t>(random.NextBelow(2));
      const std::size_t blocks = 1 + random.NextBelow(8);
      const std::size_t block = random.NextBelow(16 - blocks + 1);
      const ReadRequest request = Request(file, block, blocks, 8 * free_memory.back(), submitted);
      ASSERT_TRUE(reader_->TrySubmit(request));
      free_memory.pop_back();
      pending[submitted++] = request;
    }
    ASSERT_EQ(reader_->in_flight(), pending.size());
    const std::size_t room = 1 + random.NextBelow(kDepth);
    const auto out = std::span(completions).first(room);
    const std::size_t count = random.NextBelow(2) == 0 ? reader_->Poll(out) : reader_->Wait(out);
    ASSERT_LE(count, room);
    for (std::size_t i = 0; i < count; ++i) {
      const auto request = pending.find(completions[i].tag);
      ASSERT_NE(request, pending.end()) << "a completion that nobody waits for";
      ASSERT_TRUE(completions[i].status.ok()) << completions[i].status.ToString();
      ASSERT_TRUE(HoldsFile(request->second));
      bytes += completions[i].bytes_read;
      const auto block =
          (request->second.destination - memory_.data()) / static_cast<std::ptrdiff_t>(8 * kBlock);
      free_memory.push_back(static_cast<std::size_t>(block));
      pending.erase(request);
    }
    clock_.Advance(random.NextBelow(20'000));
  }
  EXPECT_EQ(reader_->counters().reads, 600u);
  EXPECT_EQ(reader_->counters().bytes, bytes);
  EXPECT_EQ(reader_->counters().errors, 0u);
}

// Where the kernel allows it: locked memory is counted for all processes of a user together.
bool Register(BlockReader& reader, std::span<const std::span<std::byte>> regions) {
  const Status status = reader.SetFixedBuffers(regions);
  EXPECT_TRUE(status.ok() || status.code() == StatusCode::kUnavailable) << status.ToString();
  return status.ok();
}

// What a resize of the slab does: whatever is registered, reads land where they should.
TEST_P(BlockReaderTest, FixedBuffersChangeBetweenReads) {
  AlignedBuffer other = *AlignedBuffer::Allocate(4 * kBlock);
  const auto read_both = [&] {
    ReadRequest request = Request(0, 2, 3, 1, 1);
    EXPECT_TRUE(ReadOne(request).status.ok());
    EXPECT_TRUE(HoldsFile(request));
    request = Request(1, 4, 4, 0, 2);
    request.destination = other.data();
    EXPECT_TRUE(ReadOne(request).status.ok());
    EXPECT_TRUE(HoldsFile(request));
    std::memset(memory_.data(), 0, memory_.bytes());
    std::memset(other.data(), 0, other.bytes());
  };
  const std::span<std::byte> both[] = {memory_.span(), other.span()};
  const std::span<std::byte> part[] = {memory_.span().first(2 * kBlock)};
  for (int round = 0; round < 3; ++round) {
    Register(*reader_, both);
    read_both();
    Register(*reader_, part);
    read_both();
    EXPECT_TRUE(reader_->SetFixedBuffers({}).ok());
    read_both();
  }
}

// Memory that was registered can be given back once it no longer is.
TEST_P(BlockReaderTest, ForgottenBuffersAreNotPinned) {
  AlignedBuffer gone = *AlignedBuffer::Allocate(4 * kBlock);
  const std::span<std::byte> regions[] = {gone.span()};
  if (!Register(*reader_, regions)) GTEST_SKIP() << "SKIPPED: no memory may be locked now";
  ReadRequest request = Request(0, 2, 3, 0, 1);
  request.destination = gone.data();
  EXPECT_TRUE(ReadOne(request).status.ok());
  ASSERT_TRUE(reader_->SetFixedBuffers({}).ok());
  gone = AlignedBuffer();
  request = Request(0, 2, 3, 0, 2);
  EXPECT_TRUE(ReadOne(request).status.ok());
  EXPECT_TRUE(HoldsFile(request));
}

TEST_P(BlockReaderTest, UnalignedRequestsAreBugs) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  ReadRequest request = Request(0, 0, 1, 0, 0);
  request.offset = 512;
  EXPECT_DEATH(static_cast<void>(reader_->TrySubmit(request)), "unaligned offset");
}

INSTANTIATE_TEST_SUITE_P(Readers, BlockReaderTest, testing::ValuesIn(kVariants),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace edgemoe
