// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace edgemoe::bench {

// The value below which `percent` of the values lie, interpolated between the two nearest ones;
// 0 for no values. `percent` in [0, 100].
double Percentile(std::span<const double> values, double percent);

inline double Median(std::span<const double> values) { return Percentile(values, 50); }

// a / b, 0 when b is 0.
inline double Ratio(double a, double b) { return b == 0 ? 0 : a / b; }

}  // namespace edgemoe::bench
