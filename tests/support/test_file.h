// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "engine/base/random.h"

namespace edgemoe {

// `count` bytes that a seed determines.
inline std::vector<std::byte> RandomBytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.Next() >> 56);
  return bytes;
}

// A file in the tests' temporary folder, removed by the destructor.
class TestFile {
 public:
  explicit TestFile(std::vector<std::byte> bytes, const std::string& folder = testing::TempDir())
      : path_(folder + "/edgemoe_test_XXXXXX"), bytes_(std::move(bytes)) {
    const int fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0) << path_;
    std::size_t written = 0;
    while (written < bytes_.size()) {
      const ssize_t count = ::write(fd, bytes_.data() + written, bytes_.size() - written);
      if (count <= 0) break;
      written += static_cast<std::size_t>(count);
    }
    EXPECT_EQ(written, bytes_.size()) << path_;
    ::close(fd);
  }
  TestFile(std::size_t count, std::uint64_t seed) : TestFile(RandomBytes(count, seed)) {}
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  ~TestFile() { ::unlink(path_.c_str()); }

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::string path_;
  std::vector<std::byte> bytes_;
};

}  // namespace edgemoe
