// SPDX-License-Identifier: Apache-2.0
//
// The values that the indices of the codebook formats stand for, ascending in IQ4_NL; in MXFP4 bit
// 3 is the sign. Data only, so that files of any ISA can include it.
#pragma once

#include <cstdint>

namespace edgemoe {

inline constexpr std::int8_t kIq4NlValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                 1,    13,   25,  38,  53,  69,  89,  113};

// Twice the values of E2M1. Index 8, minus zero, decodes to plain zero.
inline constexpr std::int8_t kMxfp4Values[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                                 0, -1, -2, -3, -4, -6, -8, -12};

}  // namespace edgemoe
