// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/mamba2.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/model/ops/projection.h"

namespace edgemoe {
namespace {

constexpr std::size_t kChannelsPerItem = 256;

constexpr std::array<float, kChannelsPerItem> kOnes = [] {
  std::array<float, kChannelsPerItem> ones{};
  ones.fill(1.0F);
  return ones;
}();

// ln(1 + e^x); for large x the 1 is lost.
float Softplus(float x) { return x > 20.0F ? x : std::log1p(std::exp(x)); }

}  // namespace

Mamba2::Mamba2(const OpContext& context)
    : context_(context),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width),
      encoded_out_(context.kernels, context.pool, context.workspace.encoded_mamba, context.rows_max,
                   context.config.mamba_inner_size_max()) {}

void Mamba2::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const Mamba2Config& config = ConfigOf(layer);
  ProjectInput(weights, rows);

  const std::size_t channels = config.channels();
  const std::size_t items = (channels + kChannelsPerItem - 1) / kChannelsPerItem;
  context_.pool.ParallelFor(items, [&](std::size_t item, std::size_t) {
    const std::size_t begin = item * kChannelsPerItem;
    Convolve(layer, weights, rows, begin, std::min(begin + kChannelsPerItem, channels));
  });
  context_.pool.ParallelFor(
      config.head_count, [&](std::size_t head, std::size_t) { Scan(layer, weights, rows, head); });
  const float* const norm = weights.floats(TensorRole::kMambaNorm);
  context_.pool.ParallelFor(rows.count(),
                            [&](std::size_t i, std::size_t) { GateAndNorm(config, norm, i); });

  encoded_out_.Set(w.mamba_out, rows.count(), config.inner_size());
  const std::array out = {Projection{&weights.matrix(TensorRole::kMambaOut), w.delta}};
  Project(out, encoded_out_, rows.count(), context_.kernels, context_.pool);
}

void Mamba2::ProjectInput(const LayerWeights& weights, const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  encoded_x_.Set(w.normed, rows.count());
  const std::array in = {Projection{&weights.matrix(TensorRole::kMambaIn), w.mamba_in}};
  Project(in, encoded_x_, rows.count(), context_.kernels, context_.pool);
}

void Mamba2::Convolve(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                      std::size_t begin, std::size_t end) {
  const Mamba2Config& config = ConfigOf(layer);
  const std::size_t taps = config.taps;
  const std::size_t channels = config.channels();
  const float* const kernel = weights.floats(TensorRole::kMambaKernel);  // [channels, taps]
  const float* const bias = weights.floats(TensorRole::kMambaKernelBias);
  for (std::size_t i = 0; i < rows.count(); ++i) {
    float* const state = rows.row(i).sequence->Recurrent(layer);
    float* const values = context_.workspace.mamba_in + i * config.in_size() + config.inner_size();
    for (std::size_t channel = begin; channel < end; ++channel) {
      const float* const weight = kernel + channel * taps;
      const float newest = values[channel];
      float sum = 0;
      for (std::size_t tap = 0; tap + 1 < taps; ++tap) {
        float& value = state[tap * channels + channel];
        sum += weight[tap] * value;
        value = tap + 2 < taps ? state[(tap + 1) * channels + channel] : newest;
      }
      values[channel] = sum + weight[taps - 1] * newest + bias[channel];
    }
    context_.kernels.swiglu(values + begin, kOnes.data(), end - begin, values + begin);
  }
}

void Mamba2::Scan(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                  std::size_t head) {
  const Mamba2Config& config = ConfigOf(layer);
  const std::size_t inner = config.inner_size();
  const std::size_t group = head / (config.head_count / config.group_count);
  const std::size_t head_states = std::size_t{config.head_size} * config.state_size;
  const float decay = weights.floats(TensorRole::kMambaDecay)[head];
  const float step_bias = weights.floats(TensorRole::kMambaStepBias)[head];
  for (std::size_t i = 0; i < rows.count(); ++i) {
    float* const x = context_.workspace.mamba_in + i * config.in_size() + inner;
    const float* const b = x + inner + group * config.state_size;
    const float step = Softplus(x[config.channels() + head] + step_bias);
    context_.kernels.state_scan({.state = rows.row(i).sequence->Recurrent(layer) +
                                          std::size_t{config.taps - 1} * config.channels() +
                                          head * head_states,
                                 .x = x + head * config.head_size,
                                 .b = b,
                                 .c = b + std::size_t{config.group_count} * config.state_size,
                                 .out = x + head * config.head_size,
                                 .head_size = config.head_size,
                                 .state_size = config.state_size,
                                 .decay = std::exp(step * decay),
                                 .step = step,
                                 .skip = weights.floats(TensorRole::kMambaSkip)[head]});
  }
}

void Mamba2::GateAndNorm(const Mamba2Config& config, const float* norm, std::size_t row) {
  const std::size_t inner = config.inner_size();
  const std::size_t size = inner / config.group_count;
  const float* const z = context_.workspace.mamba_in + row * config.in_size();
  float* const out = context_.workspace.mamba_out + row * inner;
  context_.kernels.swiglu(z, z + inner, inner, out);
  for (std::size_t begin = 0; begin < inner; begin += size)
    context_.kernels.rms_norm(out + begin, norm + begin, size, context_.config.rms_epsilon,
                              out + begin);
}

}  // namespace edgemoe
