// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/processor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace edgemoe {
namespace {

void AddCache(const std::string& folder, int index, const std::string& level,
              const std::string& size) {
  const std::string cache = folder + "/index" + std::to_string(index);
  std::filesystem::create_directories(cache);
  std::ofstream(cache + "/level") << level << "\n";
  std::ofstream(cache + "/size") << size << "\n";
}

TEST(ProcessorTest, LastCacheIsThatOfTheHighestLevel) {
  const std::string folder = testing::TempDir() + "/processor_test";
  std::filesystem::remove_all(folder);  // of a run that was ended
  EXPECT_EQ(LastCacheBytes(folder), 0U) << "there are no caches";
  AddCache(folder, 0, "1", "32K");
  AddCache(folder, 1, "1", "48K");
  EXPECT_EQ(LastCacheBytes(folder), 32U << 10U);
  AddCache(folder, 2, "3", "32768K");
  AddCache(folder, 3, "2", "1024K");
  EXPECT_EQ(LastCacheBytes(folder), 32U << 20U);
  AddCache(folder, 4, "4", "unknown");
  EXPECT_EQ(LastCacheBytes(folder), 32U << 20U);
  std::filesystem::remove_all(folder);
}

TEST(ProcessorTest, HasAName) { EXPECT_FALSE(ProcessorName().empty()); }

}  // namespace
}  // namespace edgemoe
