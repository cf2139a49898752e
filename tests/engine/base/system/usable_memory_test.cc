// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/usable_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace edgemoe {
namespace {

// A made-up /proc and /sys/fs/cgroup.
class UsableMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/usable_memory_test_" + std::to_string(::getpid());
    Write("proc/meminfo", "MemFree: 7 kB\nMemTotal:       4096 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::uint64_t Usable() const { return UsableMemoryBytes(root_ + "/proc", root_ + "/cgroup"); }

  std::string root_;
};

constexpr std::uint64_t kMachineBytes = 4096 * 1024;

TEST_F(UsableMemoryTest, WithoutControlGroupsItIsTheMachines) {
  EXPECT_EQ(Usable(), kMachineBytes);
}

TEST_F(UsableMemoryTest, TheSmallestLimitAmongAncestorsCounts) {
  Write("proc/self/cgroup", "0::/system.slice/edgemoe.service/part\n");
  Write("cgroup/memory.max", "max\n");
  Write("cgroup/system.slice/memory.max", "1000000\n");
  Write("cgroup/system.slice/edgemoe.service/memory.max", "2000000\n");
  Write("cgroup/system.slice/edgemoe.service/part/memory.max", "max\n");
  EXPECT_EQ(Usable(), 1000000U);
}

TEST_F(UsableMemoryTest, TheRootsOwnLimitCountsInsideAContainer) {
  Write("proc/self/cgroup", "0::/\n");
  Write("cgroup/memory.max", "123456\n");
  EXPECT_EQ(Usable(), 123456U);
}

TEST_F(UsableMemoryTest, VersionOneCountsToo) {
  Write("proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/jobs/one\n0::/\n");
  Write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write("cgroup/memory/jobs/memory.limit_in_bytes", "3000000\n");
  Write("cgroup/memory/jobs/one/memory.limit_in_bytes", "2500000\n");
  EXPECT_EQ(Usable(), 2500000U);
}

TEST_F(UsableMemoryTest, LimitsAboveTheMachineDoNotCount) {
  Write("proc/self/cgroup", "0::/a\n");
  Write("cgroup/a/memory.max", "99999999999\n");
  EXPECT_EQ(Usable(), kMachineBytes);
}

TEST_F(UsableMemoryTest, WhatCannotBeReadDoesNotCount) {
  Write("proc/self/cgroup", "nonsense\n0::/a\n");
  Write("cgroup/a/memory.max", "12x\n");
  EXPECT_EQ(Usable(), kMachineBytes);
  EXPECT_EQ(UsableMemoryBytes(root_ + "/none", root_ + "/none"), 0U);
}

}  // namespace
}  // namespace edgemoe
