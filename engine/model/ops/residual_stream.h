// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/model/ops/op_context.h"

namespace edgemoe {

// How operators take the residual stream and add to it; in parallel over rows.

// normed = the RMS norm of each row of x by `norm` [width]; both [row_count, width], and `normed`
// may be x.
void NormRows(const OpContext& context, const float* x, const float* norm, std::size_t row_count,
              float* normed);

// Adds the workspace's `delta` to its x, scaled as the model says. `post_norm` [width]: delta is
// normed by it first; null: as it is.
void AddDelta(const OpContext& context, const float* post_norm, std::size_t row_count);

}  // namespace edgemoe
