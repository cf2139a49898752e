// SPDX-License-Identifier: Apache-2.0
//
// What the tests of all kernels share: every table of this machine as a parameter, random inputs,
// and u, the unit roundoff of float, from which tolerances are derived. A sum of k terms, each with
// a few roundings of its own, is off by at most about (k + those) * u * (the sum of magnitudes),
// whatever the order (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/kernels/dispatch.h"

namespace edgemoe {

constexpr double kUnitRoundoff = 0x1.0p-24;

class EveryTable : public testing::TestWithParam<const KernelTable*> {
 protected:
  const KernelTable& table() const { return *GetParam(); }
};

inline auto AllTables() {
  const auto tables = AvailableKernels();
  return testing::ValuesIn(tables.begin(), tables.end());
}
inline std::string TableName(const testing::TestParamInfo<const KernelTable*>& param) {
  return param.param->name;
}

// Roughly normal (a sum of four uniform numbers), of deviation `scale`.
inline float RandomNormal(Random& random, double scale = 1) {
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += random.NextUnit() - 0.5;
  return static_cast<float>(sum * std::sqrt(3.0) * scale);
}

inline std::vector<float> RandomFloats(Random& random, std::size_t n, double scale = 1) {
  std::vector<float> values(n);
  for (float& value : values) value = RandomNormal(random, scale);
  return values;
}

}  // namespace edgemoe
