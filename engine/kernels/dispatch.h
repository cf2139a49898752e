// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "engine/base/result.h"
#include "engine/kernels/kernel_table.h"

namespace edgemoe {

// The slow, obvious table: always there, and what the others are tested against.
const KernelTable& ReferenceKernels();

// The tables that this build has and this machine can run, fastest first; "ref" is always the last.
std::span<const KernelTable* const> AvailableKernels();

// "auto" gives the fastest. INVALID_ARGUMENT names the tables that can be had here.
Result<const KernelTable*> SelectKernels(std::string_view name);

}  // namespace edgemoe
