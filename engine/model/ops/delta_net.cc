// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/delta_net.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/model/ops/projection.h"

namespace edgemoe {
namespace {

constexpr std::array<float, kHeadSizeMax> Ones() {
  std::array<float, kHeadSizeMax> ones{};
  ones.fill(1.0F);
  return ones;
}
constexpr std::array<float, kHeadSizeMax> kOnes = Ones();

float Sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }

// ln(1 + e^x)
float Softplus(float x) { return x > 20.0F ? x : std::log1p(std::exp(x)); }

// Divides x by its length, or by epsilon where that is more, and multiplies it by `scale`.
void Normalise(float* x, std::size_t n, float epsilon, float scale) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  const float factor = scale / std::max(static_cast<float>(std::sqrt(sum)), epsilon);
  for (std::size_t i = 0; i < n; ++i) x[i] *= factor;
}

}  // namespace

float* DeltaNet::Inputs::Grouped(std::size_t row, std::size_t key_head, std::size_t place) const {
  const std::size_t heads = 2 + 2 * std::size_t{config.values_per_key()};
  return in + row * (config.channels() + config.value_size()) +
         (key_head * heads + place) * config.head_size;
}

float* DeltaNet::Inputs::Query(std::size_t row, std::size_t head) const {
  if (grouped) return Grouped(row, head, 0);
  return in + row * config.channels() + head * config.head_size;
}

float* DeltaNet::Inputs::Key(std::size_t row, std::size_t head) const {
  if (grouped) return Grouped(row, head, 1);
  return in + row * config.channels() + config.key_size() + head * config.head_size;
}

float* DeltaNet::Inputs::Value(std::size_t row, std::size_t head) const {
  const std::size_t each = config.values_per_key();
  if (grouped) return Grouped(row, head / each, 2 + head % each);
  return in + row * config.channels() + 2 * std::size_t{config.key_size()} +
         head * config.head_size;
}

float* DeltaNet::Inputs::Gate(std::size_t row, std::size_t head) const {
  const std::size_t each = config.values_per_key();
  if (grouped) return Grouped(row, head / each, 2 + each + head % each);
  return in + row_count * config.channels() + row * config.value_size() + head * config.head_size;
}

std::size_t DeltaNet::Inputs::PlaceOfRate(std::size_t head) const {
  const std::size_t each = config.values_per_key();
  return head / each * 2 * each + head % each;
}

float DeltaNet::Inputs::Rate(std::size_t row, std::size_t head) const {
  const std::size_t heads = config.value_head_count;
  return config.joined_rates ? rates[row * 2 * heads + PlaceOfRate(head)]
                             : rates[row * heads + head];
}

float DeltaNet::Inputs::Decay(std::size_t row, std::size_t head) const {
  const std::size_t heads = config.value_head_count;
  return config.joined_rates ? rates[row * 2 * heads + PlaceOfRate(head) + config.values_per_key()]
                             : rates[row_count * heads + row * heads + head];
}

DeltaNet::DeltaNet(const OpContext& context)
    : context_(context),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width),
      encoded_heads_(context.kernels, context.pool, context.workspace.encoded_delta,
                     context.rows_max, context.config.delta_value_size_max()) {}

void DeltaNet::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  const Inputs inputs = ProjectInputs(layer, weights, rows);
  const DeltaNetConfig& config = inputs.config;
  const std::size_t convolved = 2 * std::size_t{config.key_head_count} + config.value_head_count;
  context_.pool.ParallelFor(convolved, [&](std::size_t head, std::size_t) {
    Convolve(layer, weights, rows, inputs, head);
  });
  context_.pool.ParallelFor(config.value_head_count, [&](std::size_t head, std::size_t) {
    Update(layer, weights, rows, inputs, head);
  });
  ProjectOutput(layer, weights, rows);
}

DeltaNet::Inputs DeltaNet::ProjectInputs(LayerIndex layer, const LayerWeights& weights,
                                         const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  encoded_x_.Set(w.normed, rows.count());
  const auto project = [&](std::span<const Projection> projections) {
    Project(projections, encoded_x_, rows.count(), context_.kernels, context_.pool);
  };
  const DeltaNetConfig& config = *context_.config.layers[layer.value].mixer_as<DeltaNetConfig>();
  const MatrixView& grouped = weights.matrix(TensorRole::kDeltaGroupedIn);
  if (grouped.bytes != nullptr) {
    project(std::array{Projection{&grouped, w.delta_in}});
  } else {
    float* const gates = w.delta_in + rows.count() * config.channels();
    project(std::array{Projection{&weights.matrix(TensorRole::kDeltaIn), w.delta_in},
                       Projection{&weights.matrix(TensorRole::kDeltaGate), gates}});
  }
  if (config.joined_rates) {
    project(std::array{Projection{&weights.matrix(TensorRole::kDeltaRatesDecays), w.delta_rates}});
  } else {
    float* const decays = w.delta_rates + rows.count() * config.value_head_count;
    project(std::array{Projection{&weights.matrix(TensorRole::kDeltaRate), w.delta_rates},
                       Projection{&weights.matrix(TensorRole::kDeltaDecay), decays}});
  }
  return {config, rows.count(), grouped.bytes != nullptr, w.delta_in, w.delta_rates};
}

void DeltaNet::Convolve(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                        const Inputs& inputs, std::size_t head) {
  const DeltaNetConfig& config = inputs.config;
  const std::size_t size = config.head_size;
  const std::size_t taps = config.taps;
  const std::size_t keys = config.key_head_count;
  const std::size_t channels = config.channels();
  const float* const kernel = weights.floats(TensorRole::kDeltaKernel) + head * size * taps;
  const float query_scale = 1.0F / std::sqrt(static_cast<float>(size));
  for (std::size_t i = 0; i < rows.count(); ++i) {
    float* const state = rows.row(i).sequence->Recurrent(layer) + head * size;
    float* const x = head < keys       ? inputs.Query(i, head)
                     : head < 2 * keys ? inputs.Key(i, head - keys)
                                       : inputs.Value(i, head - 2 * keys);
    for (std::size_t c = 0; c < size; ++c) {
      const float newest = x[c];
      float sum = kernel[c * taps + taps - 1] * newest;
      for (std::size_t tap = 0; tap + 1 < taps; ++tap) {
        float& value = state[tap * channels + c];
        sum += kernel[c * taps + tap] * value;
        value = tap + 2 < taps ? state[(tap + 1) * channels + c] : newest;
      }
      x[c] = sum;
    }
    context_.kernels.swiglu(x, kOnes.data(), size, x);
    if (head < 2 * keys)
      Normalise(x, size, context_.config.rms_epsilon, head < keys ? query_scale : 1.0F);
  }
}

void DeltaNet::Update(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                      const Inputs& inputs, std::size_t head) {
  const DeltaNetConfig& config = inputs.config;
  const std::size_t size = config.head_size;
  const std::size_t key_head = config.key_sharing == KeySharing::kTiles
                                   ? head % config.key_head_count
                                   : head / config.values_per_key();
  const std::size_t state_begin =
      std::size_t{config.taps - 1} * config.channels() + head * size * size;
  const float bias = weights.floats(TensorRole::kDeltaDecayBias)[head];
  const float scale = weights.floats(TensorRole::kDeltaDecayScale)[head];
  const float* const norm = weights.floats(TensorRole::kDeltaNorm);
  for (std::size_t i = 0; i < rows.count(); ++i) {
    float* const out = context_.workspace.delta_heads + i * config.value_size() + head * size;
    context_.kernels.delta_rule({.state = rows.row(i).sequence->Recurrent(layer) + state_begin,
                                 .size = size,
                                 .key = inputs.Key(i, key_head),
                                 .query = inputs.Query(i, key_head),
                                 .value = inputs.Value(i, head),
                                 .decay = std::exp(scale * Softplus(inputs.Decay(i, head) + bias)),
                                 .rate = Sigmoid(inputs.Rate(i, head)),
                                 .out = out});
    context_.kernels.rms_norm(out, norm, size, context_.config.rms_epsilon, out);
    context_.kernels.swiglu(inputs.Gate(i, head), out, size, out);
  }
}

void DeltaNet::ProjectOutput(LayerIndex layer, const LayerWeights& weights,
                             const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  encoded_heads_.Set(w.delta_heads, rows.count(),
                     context_.config.layers[layer.value].mixer_as<DeltaNetConfig>()->value_size());
  const std::array out = {Projection{&weights.matrix(TensorRole::kDeltaOut), w.delta}};
  Project(out, encoded_heads_, rows.count(), context_.kernels, context_.pool);
}

}  // namespace edgemoe
