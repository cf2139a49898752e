// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/short_convolution.h"

#include <algorithm>
#include <array>

#include "engine/model/ops/projection.h"

namespace edgemoe {
namespace {

constexpr std::size_t kChannelsPerItem = 256;

}  // namespace

ShortConvolution::ShortConvolution(const OpContext& context)
    : context_(context),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width) {}

void ShortConvolution::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const KernelTable& kernels = context_.kernels;
  const std::size_t width = context_.config.width;
  encoded_x_.Set(w.normed, rows.count());
  const std::array in = {Projection{&weights.matrix(TensorRole::kConvolutionIn), w.convolution}};
  Project(in, encoded_x_, rows.count(), kernels, context_.pool);

  const std::size_t items = (width + kChannelsPerItem - 1) / kChannelsPerItem;
  context_.pool.ParallelFor(items, [&](std::size_t item, std::size_t) {
    const std::size_t begin = item * kChannelsPerItem;
    Convolve(layer, weights, rows, begin, std::min(begin + kChannelsPerItem, width));
  });

  encoded_x_.Set(w.normed, rows.count());
  const std::array out = {Projection{&weights.matrix(TensorRole::kConvolutionOut), w.delta}};
  Project(out, encoded_x_, rows.count(), kernels, context_.pool);
}

void ShortConvolution::Convolve(LayerIndex layer, const LayerWeights& weights,
                                const ActiveRows& rows, std::size_t begin, std::size_t end) {
  const std::size_t width = context_.config.width;
  const std::size_t taps =
      context_.config.layers[layer.value].mixer_as<ShortConvolutionConfig>()->taps;
  const float* const kernel = weights.floats(TensorRole::kConvolutionKernel);  // [width, taps]
  for (std::size_t i = 0; i < rows.count(); ++i) {
    float* const state = rows.row(i).sequence->Recurrent(layer);
    const float* const b = context_.workspace.convolution + i * 3 * width;
    const float* const c = b + width;
    const float* const x = c + width;
    float* const out = context_.workspace.normed + i * width;
    for (std::size_t channel = begin; channel < end; ++channel) {
      const float* const weight = kernel + channel * taps;
      const float newest = b[channel] * x[channel];
      float sum = 0;
      for (std::size_t tap = 0; tap + 1 < taps; ++tap) {
        float& value = state[tap * width + channel];
        sum += weight[tap] * value;
        value = tap + 2 < taps ? state[(tap + 1) * width + channel] : newest;
      }
      out[channel] = c[channel] * (sum + weight[taps - 1] * newest);
    }
  }
}

}  // namespace edgemoe
