// SPDX-License-Identifier: Apache-2.0
#include "engine/base/cpu_features.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(CpuFeaturesTest, OneArchitectureAtATime) {
  const CpuFeatures& host = HostCpuFeatures();
  EXPECT_FALSE((host.avx2 || host.avx512) && (host.neon || host.neon_dotprod));
  EXPECT_TRUE(host.neon || !host.neon_dotprod);
#if defined(__aarch64__)
  EXPECT_TRUE(host.neon);
#endif
}

TEST(CpuFeaturesTest, ReadOnce) { EXPECT_EQ(&HostCpuFeatures(), &HostCpuFeatures()); }

}  // namespace
}  // namespace edgemoe
