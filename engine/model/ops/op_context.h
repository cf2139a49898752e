// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/kernels/kernel_table.h"
#include "engine/model/activation_observer.h"
#include "engine/model/model_config.h"
#include "engine/model/workspace.h"
#include "engine/parallel/compute_pool.h"

namespace edgemoe {

// What the operators of a forward pass share; all of it outlives them.
struct OpContext {
  const ModelConfig& config;
  const KernelTable& kernels;
  ComputePool& pool;
  Workspace& workspace;
  std::uint32_t rows_max = 0;
  ActivationObserver* observer = nullptr;  // null: nobody looks
};

}  // namespace edgemoe
