// SPDX-License-Identifier: Apache-2.0
#include "download/transfer/file_hasher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/base/byte_size.h"
#include "engine/base/system/unique_fd.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

Result<std::string> Finish(FileHasher& hasher) {
  while (true)
    if (std::optional<Result<std::string>> digest = hasher.TryFinish()) return *std::move(digest);
}

UniqueFd Holding(std::string_view text) {
  const TestFile file({});
  UniqueFd fd(::open(file.path().c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return fd;
}

// FIPS 180-2's examples.
constexpr std::string_view kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(FileHasherTest, HasTheStandardsSums) {
  const UniqueFd fd = Holding("abc");
  FileHasher hasher(fd.get());
  EXPECT_EQ(Finish(hasher), std::string(kOfNothing));
  hasher.Advance(3);
  EXPECT_EQ(Finish(hasher), std::string(kOfAbc));
  EXPECT_EQ(hasher.hashed_bytes(), 3u);
}

TEST(FileHasherTest, FollowsAFileThatGrows) {
  const UniqueFd fd = Holding(std::string(1'000'000, 'a'));
  FileHasher hasher(fd.get());
  for (std::uint64_t bytes = 1; bytes < 1'000'000; bytes += 7919) hasher.Advance(bytes);
  hasher.Advance(1'000'000);
  EXPECT_EQ(Finish(hasher), std::string(kOfMillionA));
}

TEST(FileHasherTest, StartsAnew) {
  const UniqueFd fd = Holding(std::string(3 * kMiB, 'x'));
  FileHasher hasher(fd.get());
  hasher.Advance(3 * kMiB);
  hasher.Restart();
  ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
  ASSERT_EQ(::pwrite(fd.get(), "abc", 3, 0), 3);
  hasher.Advance(3);
  EXPECT_EQ(Finish(hasher), std::string(kOfAbc));
}

TEST(FileHasherTest, NoticesWhatCannotBeRead) {
  const UniqueFd fd = Holding("abc");
  FileHasher hasher(fd.get());
  hasher.Advance(4);
  EXPECT_EQ(Finish(hasher).error().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace edgemoe
