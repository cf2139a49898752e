// SPDX-License-Identifier: Apache-2.0
#include "engine/io/storage_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/random.h"
#include "engine/io/mapped_file.h"
#include "engine/io/read_fully.h"
#include "tests/support/changed_file.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

TEST(StorageFileTest, TellsSizeAndIdentity) {
  const TestFile first(5000, 1);
  const TestFile second(5000, 1);
  const auto a = StorageFile::Open(first.path());
  const auto again = StorageFile::Open(first.path(), StorageFile::Caching::kKernel);
  const auto b = StorageFile::Open(second.path());
  ASSERT_TRUE(a && again && b);
  EXPECT_EQ(a->bytes(), 5000u);
  EXPECT_EQ(a->path(), first.path());
  EXPECT_EQ(a->identity(), again->identity());
  EXPECT_NE(a->identity(), b->identity());
  EXPECT_FALSE(again->direct());
}

// With the old time of modification put back, a new name or other rights, too; by reading not.
TEST(StorageFileTest, EveryChangeIsSeen) {
  const TestFile test_file(5000, 1);
  const std::string& path = test_file.path();
  const auto file = StorageFile::Open(path);
  ASSERT_TRUE(file);
  const struct stat before = StatOf(path);
  FileIdentity seen = file->identity();
  EXPECT_EQ(ReadAll(path).size(), 5000u);
  EXPECT_EQ(file->CurrentIdentity(), seen);
  const auto changed = [&] {
    const FileIdentity now = file->CurrentIdentity();
    return std::exchange(seen, now) != now;
  };
  Touch(path);
  EXPECT_TRUE(changed());
  WriteByte(path, 77, 'x');
  EXPECT_TRUE(changed());
  ChangeVisibly(path, [&] { SetModified(path, before.st_mtim); });
  EXPECT_TRUE(changed());
  EXPECT_EQ(seen.modified_ns, file->identity().modified_ns);
  EXPECT_NE(seen, file->identity());
  ChangeVisibly(path, [&] { ASSERT_EQ(::chmod(path.c_str(), 0600), 0); });
  EXPECT_TRUE(changed());
  RewriteFile(path, "another", Rewrite::kByRename);
  EXPECT_TRUE(changed()) << "it lost its name";
}

TEST(StorageFileTest, ErrorsNameThePath) {
  const auto missing = StorageFile::Open("/nonexistent/model.gguf");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), StatusCode::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("/nonexistent/model.gguf"));

  const auto folder = StorageFile::Open(testing::TempDir());
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(folder.error().message(), HasSubstr("a directory"));
}

TEST(StorageFileTest, FifoIsRefusedWithoutWaiting) {
  const std::string path = testing::TempDir() + "/edgemoe_fifo_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto fifo = StorageFile::Open(path);
  ::unlink(path.c_str());
  ASSERT_FALSE(fifo);
  EXPECT_EQ(fifo.error().code(), StatusCode::kInvalidArgument);
}

TEST(MappedFileTest, ShowsTheWholeFile) {
  const TestFile file(10'001, 4);
  auto mapped = MappedFile::Open(file.path());
  ASSERT_TRUE(mapped) << mapped.error().ToString();
  EXPECT_TRUE(std::ranges::equal(mapped->bytes(), file.bytes()));
  const MappedFile moved = *std::move(mapped);
  EXPECT_TRUE(std::ranges::equal(moved.bytes(), file.bytes()));
}

TEST(MappedFileTest, EmptyAndMissingFiles) {
  const TestFile empty(0, 0);
  const auto mapped = MappedFile::Open(empty.path());
  ASSERT_TRUE(mapped) << mapped.error().ToString();
  EXPECT_TRUE(mapped->bytes().empty());
  EXPECT_EQ(MappedFile::Open(empty.path() + ".gguf").error().code(), StatusCode::kNotFound);
}

class ReadFullyTest : public testing::TestWithParam<StorageFile::Caching> {
 protected:
  void SetUp() override {
    auto opened = StorageFile::Open(test_file_.path(), GetParam());
    ASSERT_TRUE(opened) << opened.error().ToString();
    file_.push_back(*std::move(opened));
  }
  const StorageFile& file() const { return file_[0]; }

  static constexpr std::size_t kBytes = 2 * kBounceBytes + 777;
  TestFile test_file_{kBytes, 5};
  std::vector<StorageFile> file_;
};

TEST_P(ReadFullyTest, AnyRange) {
  Random random(8);
  std::vector<std::byte> memory(kBytes);
  ASSERT_TRUE(ReadFully(file(), 0, memory).ok());
  EXPECT_TRUE(std::ranges::equal(memory, test_file_.bytes()));
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t offset = random.NextBelow(kBytes + 1);
    const std::size_t longest = i % 4 == 0 ? kBytes : 10'000;
    const std::size_t count = random.NextBelow(std::min<std::size_t>(longest, kBytes - offset) + 1);
    const auto destination = std::span(memory).last(count);
    std::ranges::fill(destination, std::byte{0});
    const Status status = ReadFully(file(), offset, destination);
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_TRUE(std::ranges::equal(destination, test_file_.bytes().subspan(offset, count)));
  }
}

TEST_P(ReadFullyTest, BehindTheEndIsDataLoss) {
  std::vector<std::byte> memory(100);
  for (const std::uint64_t offset :
       {std::uint64_t{kBytes - 99}, std::uint64_t{kBytes + 1}, ~std::uint64_t{0} - 10}) {
    const Status status = ReadFully(file(), offset, memory);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(test_file_.path()));
  }
}

TEST_P(ReadFullyTest, FileThatShrankIsDataLoss) {
  ASSERT_EQ(::truncate(test_file_.path().c_str(), 5000), 0);
  std::vector<std::byte> memory(kBytes);
  const Status status = ReadFully(file(), 0, memory);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("ends after 5000"));
}

INSTANTIATE_TEST_SUITE_P(Caching, ReadFullyTest,
                         testing::Values(StorageFile::Caching::kAvoid,
                                         StorageFile::Caching::kKernel));

}  // namespace
}  // namespace edgemoe
