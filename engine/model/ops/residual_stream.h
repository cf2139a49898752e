// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/model/ops/op_context.h"
#include "engine/model/weights.h"

namespace edgemoe {

// How operators take the residual stream and add to it; in parallel over rows.

// normed = the RMS norm of each row of x by `norm` [width]; both [row_count, width], and `normed`
// may be x.
void NormRows(const OpContext& context, const float* x, const float* norm, std::size_t row_count,
              float* normed);

// What is done beside the addition, where it is not null.
struct DeltaWeights {
  const float* post_norm = nullptr;  // [width]: delta is normed by it first
  const float* scale = nullptr;      // [1]: the sum is multiplied by it
};
// Of a layer's mixer, and of its feed-forward, which ends the layer.
DeltaWeights MixerDelta(const LayerWeights& weights);
DeltaWeights FeedForwardDelta(const LayerWeights& weights);
// Adds the workspace's `delta` to its x, scaled as the model says.
void AddDelta(const OpContext& context, const DeltaWeights& weights, std::size_t row_count);

}  // namespace edgemoe
