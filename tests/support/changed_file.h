// SPDX-License-Identifier: Apache-2.0
//
// What careless programs do to a file that is in use.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string>

namespace edgemoe {

inline struct stat StatOf(const std::string& path) {
  struct stat stat = {};
  EXPECT_EQ(::stat(path.c_str(), &stat), 0) << path;
  return stat;
}

// Does `change` until the file's times show it: the kernel's clock for them is coarse.
inline void ChangeVisibly(const std::string& path, const std::function<void()>& change) {
  const struct stat before = StatOf(path);
  struct stat after = {};
  do {
    change();
    after = StatOf(path);
  } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
           after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
}

inline void SetModified(const std::string& path, const timespec& modified) {
  const timespec times[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, modified};
  EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0) << path;
}

inline void Touch(const std::string& path) {
  ChangeVisibly(path, [&] { SetModified(path, {.tv_sec = 0, .tv_nsec = UTIME_NOW}); });
}

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteAll(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_TRUE(file.flush()) << path;
}

// Writes over the file, as `cp` does, or puts another in its place, as `rsync` does.
enum class Rewrite : std::uint8_t { kInPlace, kByRename };
inline void RewriteFile(const std::string& path, std::string_view bytes, Rewrite how) {
  ChangeVisibly(path, [&] {
    if (how == Rewrite::kInPlace) return WriteAll(path, bytes);
    WriteAll(path + ".new", bytes);
    EXPECT_EQ(std::rename((path + ".new").c_str(), path.c_str()), 0) << path;
  });
}

// Sets single bytes of the file, in place.
inline void WriteByte(const std::string& path, std::uint64_t offset, char byte) {
  ChangeVisibly(path, [&] {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
    EXPECT_TRUE(file.flush()) << path;
  });
}

}  // namespace edgemoe
