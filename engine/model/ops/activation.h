// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/kernels/kernel_table.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// The kernel that joins gate and up to the input of down.
inline auto JoinOf(const KernelTable& kernels, Activation activation) {
  switch (activation) {
    case Activation::kClampedSwiglu: return kernels.clamped_swiglu;
    case Activation::kGeglu: return kernels.geglu;
    case Activation::kSwiglu: break;
  }
  return kernels.swiglu;
}

}  // namespace edgemoe
