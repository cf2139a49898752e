// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "engine/kernels/activation_constants.h"
#include "engine/kernels/kernel_functions.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {

void RmsNorm(const float* x, const float* weight, std::size_t n, float epsilon, float* out) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const double mean = sum / static_cast<double>(n);
  const auto scale = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(epsilon)));
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

void RopeNeox(float* head, std::size_t head_size, const float* cosines, const float* sines) {
  const std::size_t half = head_size / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const float a = head[i];
    const float b = head[i + half];
    head[i] = a * cosines[i] - b * sines[i];
    head[i + half] = a * sines[i] + b * cosines[i];
  }
}

void Swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = gate[i] / (1.0f + std::exp(-gate[i])) * up[i];
}

void ClampedSwiglu(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = std::min(gate[i], kSwigluLimit);
    const float u = std::max(std::min(up[i], kSwigluLimit), -kSwigluLimit);
    out[i] = g / (1.0f + std::exp(-kSwigluSharpness * g)) * (u + 1.0f);
  }
}

void Geglu(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float g = gate[i];
    const float bent = g * (1.0f + kGeluCubic * g * g);
    out[i] = g / (1.0f + std::exp(-kGeluSlope * bent)) * up[i];
  }
}

void SoftCap(float* x, std::size_t n, float cap) {
  for (std::size_t i = 0; i < n; ++i) x[i] = cap * std::tanh(x[i] / cap);
}

void Softmax(float* x, std::size_t n) {
  const float largest = *std::max_element(x, x + n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = std::exp(x[i] - largest);
    sum += static_cast<double>(x[i]);
  }
  const auto scale = static_cast<float>(1.0 / sum);
  for (std::size_t i = 0; i < n; ++i) x[i] *= scale;
}

void AddScaled(const float* x, float scale, std::size_t n, float* y) {
  for (std::size_t i = 0; i < n; ++i) y[i] += scale * x[i];
}

void ToHalf(const float* x, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = FloatToHalf(x[i]);
}

}  // namespace edgemoe::ref
