// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace edgemoe {
namespace {

// The pair, counted with fractions, that turns `turns` times within the original context.
double PairOfTurns(const RopeConfig& rope, double turns) {
  const double length = rope.original_context_length;
  return rope.dimension_count * std::log(length / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(static_cast<double>(rope.base)));
}

// How much of pair i keeps its own angle: 1 before the ramp, 0 behind it.
double KeptShare(const RopeConfig& rope, double i) {
  const double last = rope.dimension_count - 1.0;
  const double begin =
      std::max(0.0, std::floor(PairOfTurns(rope, static_cast<double>(rope.beta_fast))));
  const double end =
      std::min(last, std::ceil(PairOfTurns(rope, static_cast<double>(rope.beta_slow))));
  const double place = (i - begin) / std::max(0.001, end - begin);
  return (1.0 - std::clamp(place, 0.0, 1.0)) * static_cast<double>(rope.extrapolation);
}

// Null: all are 1.
const float* FactorsFor(const RopeConfig& rope, const RopeFactors& factors,
                        std::uint32_t context_length) {
  if (!rope.factors) return nullptr;
  if (rope.scaling != RopeScaling::kLongRope) return factors.of_all;
  return context_length > rope.original_context_length ? factors.of_long : factors.of_short;
}

// Null: the layer rotates nothing.
const RopeConfig* RopeOf(const LayerConfig& layer) {
  if (const auto* const attention = layer.mixer_as<AttentionConfig>()) return &attention->rope;
  const auto* const latent = layer.mixer_as<LatentAttentionConfig>();
  return latent == nullptr ? nullptr : &latent->rope;
}

}  // namespace

RopeAngles AnglesOf(const RopeConfig& rope, const RopeFactors& factors,
                    std::uint32_t context_length) {
  const float* const of_pairs = FactorsFor(rope, factors, context_length);
  RopeAngles angles;
  angles.magnitude = static_cast<double>(rope.attention_factor);
  const double factor = static_cast<double>(rope.factor);
  const bool yarn = rope.scaling == RopeScaling::kYarn && rope.extrapolation != 0.0F;
  if (yarn) angles.magnitude *= 1.0 + static_cast<double>(rope.growth) * std::log(factor);
  for (std::uint32_t i = 0; i < rope.dimension_count / 2; ++i) {
    const double exponent = -2.0 * i / rope.dimension_count;
    const double own = std::pow(static_cast<double>(rope.base), exponent);
    const double kept = yarn ? KeptShare(rope, i) : 0.0;
    const double divided = rope.scaling == RopeScaling::kNone ? own : own / factor;
    const double factor_of_pair = of_pairs != nullptr ? static_cast<double>(of_pairs[i]) : 1.0;
    angles.frequencies.push_back((kept * own + (1.0 - kept) * divided) / factor_of_pair);
  }
  return angles;
}

void RotateHead(const RopeConfig& rope, const KernelTable& kernels, const float* cosines,
                const float* sines, float* head) {
  if (rope.dimension_count == 0) return;
  if (rope.pairing == RopePairing::kHalves) {
    kernels.rope_neox(head, rope.dimension_count, cosines, sines);
    return;
  }
  for (std::size_t i = 0; i < rope.dimension_count / 2; ++i) {
    const float a = head[2 * i];
    const float b = head[2 * i + 1];
    head[2 * i] = a * cosines[i] - b * sines[i];
    head[2 * i + 1] = a * sines[i] + b * cosines[i];
  }
}

std::vector<RopeConfig> RopeTables::KindsOf(const ModelConfig& config) {
  std::vector<RopeConfig> kinds;
  for (const LayerConfig& layer : config.layers) {
    const RopeConfig* const rope = RopeOf(layer);
    if (rope != nullptr && std::ranges::find(kinds, *rope) == kinds.end()) kinds.push_back(*rope);
  }
  return kinds;
}

std::size_t RopeTables::FloatCount(const ModelConfig& config, std::size_t rows_max) {
  std::size_t count = 0;
  for (const RopeConfig& kind : KindsOf(config)) count += rows_max * kind.dimension_count;
  return count;
}

RopeTables::RopeTables(const ModelConfig& config, const RopeFactors& factors, std::size_t rows_max,
                       float* memory) {
  const std::vector<RopeConfig> kinds = KindsOf(config);
  for (const RopeConfig& kind : kinds) {
    const std::size_t half = rows_max * (kind.dimension_count / 2);
    tables_.push_back(
        {kind, AnglesOf(kind, factors, config.context_length), memory, memory + half});
    memory += 2 * half;
  }
  for (const LayerConfig& layer : config.layers) {
    const RopeConfig* const rope = RopeOf(layer);
    const auto kind = rope == nullptr ? kinds.begin() : std::ranges::find(kinds, *rope);
    table_of_layer_.push_back(static_cast<std::size_t>(kind - kinds.begin()));
  }
}

void RopeTables::SetPositions(std::span<const BatchRow> rows) {
  for (const Table& table : tables_) {
    const std::vector<double>& frequencies = table.angles.frequencies;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const double angle = rows[r].position * frequencies[i];
        const std::size_t at = r * frequencies.size() + i;
        table.cosines[at] = static_cast<float>(std::cos(angle) * table.angles.magnitude);
        table.sines[at] = static_cast<float>(std::sin(angle) * table.angles.magnitude);
      }
    }
  }
}

const float* RopeTables::cosines(LayerIndex layer, std::size_t row) const {
  const Table& table = tables_[table_of_layer_[layer.value]];
  return table.cosines + row * (table.config.dimension_count / 2);
}

const float* RopeTables::sines(LayerIndex layer, std::size_t row) const {
  const Table& table = tables_[table_of_layer_[layer.value]];
  return table.sines + row * (table.config.dimension_count / 2);
}

}  // namespace edgemoe
