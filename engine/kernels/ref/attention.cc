// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {

void AttentionScores(const float* q, const std::uint16_t* keys, std::size_t key_stride,
                     std::size_t count, std::size_t head_size, float scale, float* scores) {
  for (std::size_t i = 0; i < count; ++i) {
    float dot = 0;
    for (std::size_t d = 0; d < head_size; ++d) dot += q[d] * HalfToFloat(keys[i * key_stride + d]);
    scores[i] = scale * dot;
  }
}

void AttentionMix(const float* weights, const std::uint16_t* values, std::size_t value_stride,
                  std::size_t count, std::size_t head_size, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < head_size; ++d) {
      out[d] += weights[i] * HalfToFloat(values[i * value_stride + d]);
    }
  }
}

}  // namespace edgemoe::ref
