// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/whole_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "engine/base/system/unique_fd.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class WholeFileTest : public testing::Test {
 protected:
  WholeFileTest() {
    std::string name = testing::TempDir() + "/edgemoe_whole_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = (folder_ / "state.bin").string();
    std::ofstream(path_) << "old";
  }
  ~WholeFileTest() override { fs::remove_all(folder_); }

  std::string Content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(WholeFileTest, ReplacesTheFileWithAllPieces) {
  const std::string first = "head ";
  const std::string second(100'000, 'x');
  const std::array pieces = {std::as_bytes(std::span(first)), std::as_bytes(std::span(second))};
  ASSERT_EQ(WriteWholeFile(path_, pieces), OkStatus());
  EXPECT_EQ(Content(), first + second);
  EXPECT_EQ(FileCount(), 1u) << "no other file is left";
}

TEST_F(WholeFileTest, KeepsAFileThatMayNotBeReplaced) {
  const WholeFileOptions options = {.replace = Replace::kNo, .mode = 0600};
  EXPECT_EQ(WriteWholeFile(path_, "new", options).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(FileCount(), 1u) << "nothing of the new one is left";
  fs::remove(path_);
  ASSERT_EQ(WriteWholeFile(path_, "new", options), OkStatus());
  EXPECT_EQ(Content(), "new");
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(WholeFileTest, MakesFoldersOnlyWhereAsked) {
  path_ = (folder_ / "a" / "b" / "c.json").string();
  EXPECT_EQ(WriteWholeFile(path_, "text").code(), StatusCode::kNotFound);
  ASSERT_EQ(WriteWholeFile(path_, "text", {.make_folders = true}), OkStatus());
  EXPECT_EQ(Content(), "text");
  const Status status = WriteWholeFile("/proc/nowhere/x", "text", {.make_folders = true});
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("/proc/nowhere/x"));
}

TEST_F(WholeFileTest, TheNewNameComesAfterTheContentAndBeforeTheFolder) {
  std::vector<std::string> at_sync;
  WholeFileOptions options;
  options.disk.sync = [&](int fd) {
    at_sync.push_back(Content());
    return ::fsync(fd);
  };
  ASSERT_EQ(WriteWholeFile(path_, "new", options), OkStatus());
  EXPECT_EQ(at_sync, (std::vector<std::string>{"old", "new"}));
}

TEST_F(WholeFileTest, ShortAndInterruptedWritesGoOn) {
  int calls = 0;
  WholeFileOptions options;
  options.disk.write = [&](int fd, const void* bytes, std::size_t count) -> ssize_t {
    if (++calls % 2 == 0) {
      errno = EINTR;
      return -1;
    }
    return ::write(fd, bytes, std::min<std::size_t>(count, 3));
  };
  ASSERT_EQ(WriteWholeFile(path_, "a longer text", options), OkStatus());
  EXPECT_EQ(Content(), "a longer text");
  EXPECT_EQ(calls, 9);
}

TEST_F(WholeFileTest, AFullDiskLeavesTheOldFileAlone) {
  int calls = 0;
  WholeFileOptions options;
  options.disk.write = [&](int fd, const void* bytes, std::size_t) -> ssize_t {
    if (++calls == 1) return ::write(fd, bytes, 1);
    errno = ENOSPC;
    return -1;
  };
  const Status status = WriteWholeFile(path_, "new", options);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("write: " + path_));
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(WholeFileTest, ContentThatCannotBeSyncedIsNotPublished) {
  WholeFileOptions options;
  options.disk.sync = [](int) {
    errno = EIO;
    return -1;
  };
  const Status status = WriteWholeFile(path_, "new", options);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("sync: " + path_));
  EXPECT_EQ(Content(), "old");
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(WholeFileTest, AFolderThatCannotBeSyncedIsTold) {
  int calls = 0;
  WholeFileOptions options;
  options.disk.sync = [&](int fd) {
    if (++calls == 1) return ::fsync(fd);
    errno = EIO;
    return -1;
  };
  const Status status = WriteWholeFile(path_, "new", options);
  EXPECT_THAT(status.message(), HasSubstr("sync: folder of " + path_));
  EXPECT_EQ(Content(), "new");
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(WholeFileTest, WritersOfOnePathDoNotMix) {
  const std::string a(50'000, 'a');
  const std::string b(50'000, 'b');
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(WriteWholeFile(path_, a), OkStatus());
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(WriteWholeFile(path_, b), OkStatus());
  other.join();
  EXPECT_TRUE(Content() == a || Content() == b);
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(WholeFileTest, PublishingCanRefuseToReplace) {
  const std::string partial = path_ + ".partial";
  const UniqueFd fd(::open(partial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  ASSERT_EQ(::write(fd.get(), "new", 3), 3);
  EXPECT_EQ(PublishFile(fd.get(), partial, path_, Replace::kNo).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Content(), "old");
  EXPECT_TRUE(fs::exists(partial));
  EXPECT_EQ(PublishFile(fd.get(), partial, path_, Replace::kYes), OkStatus());
  EXPECT_EQ(Content(), "new");
  EXPECT_FALSE(fs::exists(partial));
}

}  // namespace
}  // namespace edgemoe
