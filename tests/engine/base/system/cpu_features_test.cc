// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace edgemoe {
namespace {

using Words = std::set<std::string>;

Words Split(const std::string& text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;) words.insert(word);
  return words;
}

Words Found() {
  const CpuFeatures& cpu = HostCpuFeatures();
  Words found;
  if (cpu.avx2) found.insert("avx2");
  if (cpu.avx512) found.insert("avx512");
  if (cpu.neon) found.insert("neon");
  if (cpu.neon_dotprod) found.insert("neon_dotprod");
  return found;
}

// What the kernel says of the first processor; another way than the one under test.
Words KernelsFlags() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("flags") || line.starts_with("Features"))
      return Split(line.substr(line.find(':') + 1));
  return {};
}

Words ExpectedFromKernel() {
  const Words flags = KernelsFlags();
  const auto all = [&](const std::string& names) {
    const Words wanted = Split(names);
    return std::includes(flags.begin(), flags.end(), wanted.begin(), wanted.end());
  };
  Words expected;
  if (all("avx2 fma f16c")) expected.insert("avx2");
  if (all("avx2 fma f16c avx512f avx512bw avx512vl avx512dq avx512_vnni"))
    expected.insert("avx512");
  if (all("asimd")) expected.insert("neon");
  if (all("asimd asimddp")) expected.insert("neon_dotprod");
  return expected;
}

// An emulator shows the host's /proc/cpuinfo: whoever runs tests in one says in
// EDGEMOE_TEST_CPU_FEATURES what it has.
TEST(CpuFeaturesTest, AreWhatTheProcessorHas) {
  if (const char* named = std::getenv("EDGEMOE_TEST_CPU_FEATURES"); named != nullptr) {
    EXPECT_EQ(Found(), Split(named));
    return;
  }
  ASSERT_FALSE(KernelsFlags().empty()) << "/proc/cpuinfo has no flags";
  EXPECT_EQ(Found(), ExpectedFromKernel());
}

TEST(CpuFeaturesTest, ReadOnce) { EXPECT_EQ(&HostCpuFeatures(), &HostCpuFeatures()); }

}  // namespace
}  // namespace edgemoe
