// SPDX-License-Identifier: Apache-2.0
// Which reader one gets, also where a seccomp filter hides io_uring as containers do. The filters
// are installed in child processes, which EXPECT_EXIT makes.
#include "engine/io/reader_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "engine/base/system/aligned_buffer.h"
#include "engine/io/uring_reader.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

bool HasSeccomp() {
  std::uint32_t action = SECCOMP_RET_ERRNO;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

// From now on this system call fails with this error. False where filters cannot be installed.
bool Forbid(long system_call, int error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(system_call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = static_cast<unsigned short>(std::size(code)), .filter = code};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

class ReaderFactoryTest : public testing::Test {
 protected:
  void SetUp() override { files_.push_back(*StorageFile::Open(file_.path())); }

  bool HasUring() const { return UringReader::Open(files_, {.depth = 1}).has_value(); }

  ReadRequest Request(std::uint64_t tag) const {
    return {.offset = tag * kReadAlignment,
            .destination = memory_.data() + tag * kReadAlignment,
            .bytes = kReadAlignment,
            .bytes_needed = kReadAlignment,
            .tag = tag};
  }

  TestFile file_{4 * kReadAlignment, 6};
  std::vector<StorageFile> files_;
  AlignedBuffer memory_ = *AlignedBuffer::Allocate(4 * kReadAlignment);
};

TEST_F(ReaderFactoryTest, AutoTakesUringWhereThereIsOne) {
  const auto opened = OpenReader(files_, {});
  ASSERT_TRUE(opened) << opened.error().ToString();
  EXPECT_EQ(opened->reader->name(), HasUring() ? "io_uring" : "pread");
  EXPECT_EQ(opened->reader->depth(), 64u);
}

TEST_F(ReaderFactoryTest, PreadOnDemand) {
  const auto opened = OpenReader(files_, {.backend = "pread", .depth = 5});
  ASSERT_TRUE(opened) << opened.error().ToString();
  EXPECT_EQ(opened->reader->name(), "pread");
  EXPECT_EQ(opened->reader->depth(), 5u);
}

TEST_F(ReaderFactoryTest, BufferedFilesAreNoted) {
  std::vector<StorageFile> buffered;
  buffered.push_back(*StorageFile::Open(file_.path(), StorageFile::Caching::kKernel));
  const auto opened = OpenReader(buffered, {.backend = "pread"});
  ASSERT_TRUE(opened);
  EXPECT_THAT(opened->note, HasSubstr("page cache"));
}

TEST_F(ReaderFactoryTest, RefusesWhatItDoesNotKnow) {
  const ReaderOptions wrong[] = {{.backend = "aio"},
                                 {.backend = "io_uring", .depth = 0},
                                 {.backend = "pread", .depth = 4097},
                                 {.backend = "pread", .pread_thread_count = 0},
                                 {.backend = "auto", .depth = 5000}};
  for (const ReaderOptions& options : wrong) {
    const auto opened = OpenReader(files_, options);
    ASSERT_FALSE(opened) << options.backend;
    // Where there is no io_uring at all, that is said first.
    if (opened.error().code() != StatusCode::kUnavailable || options.backend != "io_uring") {
      EXPECT_EQ(opened.error().code(), StatusCode::kInvalidArgument);
      EXPECT_THAT(opened.error().message(), HasSubstr("accepted"));
    }
  }
}

TEST_F(ReaderFactoryTest, FallsBackWhereUringIsForbidden) {
  if (!HasSeccomp()) GTEST_SKIP() << "SKIPPED: no seccomp here, as in an emulated process";
  testing::FLAGS_gtest_death_test_style = "fast";
  const auto child = [this](int error) {
    if (!Forbid(SYS_io_uring_setup, error)) std::exit(77);
    const auto opened = OpenReader(files_, {.depth = 4, .pread_thread_count = 1});
    if (!opened) std::exit(1);
    std::fprintf(stderr, "%s", opened->note.c_str());
    const auto demanded = OpenReader(files_, {.backend = "io_uring"});
    std::exit(opened->reader->name() == "pread" && !demanded &&
                      demanded.error().code() == StatusCode::kUnavailable
                  ? 0
                  : 1);
  };
  EXPECT_EXIT(child(EPERM), testing::ExitedWithCode(0), "io_uring_disabled.*pread");
  EXPECT_EXIT(child(ENOSYS), testing::ExitedWithCode(0), "kernel without io_uring.*pread");
}

// A ring that breaks after it was opened: every request still ends, as UNAVAILABLE.
TEST_F(ReaderFactoryTest, RingThatBreaksEndsItsRequests) {
  if (!HasUring()) GTEST_SKIP() << "SKIPPED: no io_uring here";
  testing::FLAGS_gtest_death_test_style = "fast";
  const auto child = [this](int error) {
    auto reader = UringReader::Open(files_, {.depth = 4});
    if (!reader || !Forbid(SYS_io_uring_enter, error)) std::exit(77);
    int unavailable = 0;
    for (int round = 0; round < 2; ++round) {
      for (std::uint64_t tag = 0; tag < 4; ++tag)
        if (!(*reader)->TrySubmit(Request(tag))) std::exit(1);
      std::array<ReadCompletion, 4> completions;
      while (const std::size_t count = (*reader)->Wait(completions))
        for (std::size_t i = 0; i < count; ++i)
          if (completions[i].status.code() == StatusCode::kUnavailable) ++unavailable;
    }
    if ((*reader)->in_flight() != 0 || (*reader)->counters().errors != 8) std::exit(2);
    std::exit(unavailable == 8 ? 0 : 3);
  };
  EXPECT_EXIT(child(EPERM), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(child(EAGAIN), testing::ExitedWithCode(0), "");
}

TEST_F(ReaderFactoryTest, BuffersBeyondTheLimitAreNotedAndNotNeeded) {
  if (!HasUring()) GTEST_SKIP() << "SKIPPED: no io_uring here";
  // Not memory at all: the kernel refuses to register it, whatever the limits are.
  std::byte* const nowhere = reinterpret_cast<std::byte*>(kReadAlignment);
  const std::span<std::byte> regions[] = {memory_.span(), {nowhere, kReadAlignment}};
  const auto reader = UringReader::Open(files_, {.depth = 4});
  ASSERT_TRUE(reader) << reader.error().ToString();
  const Status status = (*reader)->SetFixedBuffers(regions);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("not registered"));
  EXPECT_FALSE((*reader)->buffers_registered());
  EXPECT_TRUE((*reader)->files_registered());
  std::array<ReadCompletion, 1> completion;
  ASSERT_TRUE((*reader)->TrySubmit(Request(1)));
  ASSERT_EQ((*reader)->Wait(completion), 1u);
  EXPECT_TRUE(completion[0].status.ok());
  EXPECT_TRUE(std::ranges::equal(file_.bytes().subspan(kReadAlignment, kReadAlignment),
                                 memory_.span().subspan(kReadAlignment, kReadAlignment)));
}

}  // namespace
}  // namespace edgemoe
