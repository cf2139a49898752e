// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "engine/pack/pack_request.h"
#include "engine/pack/pack_tensors.h"

namespace edgemoe {

// The matrices by layer and role, for people. `types` [tensors].
std::vector<TypeSummary> SummarizeTypes(std::span<const PackTensor> tensors,
                                        std::span<const TensorType> types);

}  // namespace edgemoe
