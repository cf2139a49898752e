// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/weights.h"

namespace edgemoe {

// Gated short convolution as ShortConvolutionConfig describes it (LFM2's technical report, arXiv
// 2511.23404): from the workspace's normed to its delta. A sequence's state is b * x of its last
// taps - 1 positions, the oldest first: [taps - 1, width].
class ShortConvolution {
 public:
  // Engine's thread.
  explicit ShortConvolution(const OpContext& context);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  // Channels [begin, end) of all rows, in order of position.
  void Convolve(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                std::size_t begin, std::size_t end);

  const OpContext context_;
  EncodedRows encoded_x_;
};

}  // namespace edgemoe
