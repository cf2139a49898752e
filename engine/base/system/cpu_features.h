// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace edgemoe {

// What the processor and the operating system allow, read once. The fields of another architecture
// are false.
struct CpuFeatures {
  bool avx2 = false;    // with FMA and F16C
  bool avx512 = false;  // F, BW, VL, DQ and VNNI together
  bool neon = false;
  bool neon_dotprod = false;
};

const CpuFeatures& HostCpuFeatures();

}  // namespace edgemoe
