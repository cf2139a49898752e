// SPDX-License-Identifier: Apache-2.0
#include "engine/study/activation_stats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/base/check.h"
#include "engine/kernels/activation_constants.h"

namespace edgemoe {
namespace {

// Sums are made of so many columns at a time, on the stack.
constexpr std::size_t kColumnBlock = 64;
using BlockSums = std::array<double, kColumnBlock>;

void AddTo(float* sums, const BlockSums& block, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    sums[i] = static_cast<float>(static_cast<double>(sums[i]) + block[i]);
  }
}

// Adds scale * x^2.
void AddSquares(const float* x, double scale, std::size_t count, BlockSums& block) {
  for (std::size_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(x[i]);
    block[i] += scale * value * value;
  }
}

// h(g, u), the input of down, and how fast it changes with g and u.
struct Joined {
  double value;
  double gate_slope;
  double up_slope;
};

Joined JoinSwiglu(float gate, float up) {
  const double g = static_cast<double>(gate);
  const double u = static_cast<double>(up);
  const double sigmoid = 1.0 / (1.0 + static_cast<double>(std::exp(-gate)));
  const double silu = g * sigmoid;
  return {silu * u, sigmoid * (1.0 + g * (1.0 - sigmoid)) * u, silu};
}

// What is clamped does not change the output any more.
Joined JoinClampedSwiglu(float gate, float up) {
  const double g = static_cast<double>(std::min(gate, kSwigluLimit));
  const double u = static_cast<double>(std::clamp(up, -kSwigluLimit, kSwigluLimit)) + 1.0;
  const double sharpness = static_cast<double>(kSwigluSharpness);
  const double sigmoid = 1.0 / (1.0 + std::exp(-sharpness * g));
  const double gated = g * sigmoid;
  const double gate_slope = sigmoid * (1.0 + sharpness * g * (1.0 - sigmoid)) * u;
  return {gated * u, gate < kSwigluLimit ? gate_slope : 0.0,
          std::abs(up) < kSwigluLimit ? gated : 0.0};
}

Joined JoinGeglu(float gate, float up) {
  const double g = static_cast<double>(gate);
  const double u = static_cast<double>(up);
  const double slope = static_cast<double>(kGeluSlope);
  const double cubic = static_cast<double>(kGeluCubic);
  const double sigmoid = 1.0 / (1.0 + std::exp(-slope * (g + cubic * g * g * g)));
  const double bend = slope * (1.0 + 3.0 * cubic * g * g);
  return {g * sigmoid * u, sigmoid * (1.0 + g * bend * (1.0 - sigmoid)) * u, g * sigmoid};
}

// What one use adds for a block of an expert's hidden values.
template <class Join>
void AddHidden(Join join, const float* gate, const float* up, double scale, std::size_t count,
               BlockSums* sums) {
  for (std::size_t i = 0; i < count; ++i) {
    const Joined h = join(gate[i], up[i]);
    sums[0][i] += scale * h.gate_slope * h.gate_slope;
    sums[1][i] += scale * h.up_slope * h.up_slope;
    sums[2][i] += scale * h.value * h.value;
  }
}

double SquareOf(float weight) { return static_cast<double>(weight) * static_cast<double>(weight); }

}  // namespace

std::uint64_t ActivationStats::Bytes(const ActivationShape& shape) {
  const ActivationLayout layout(shape);
  return layout.sum_count() * sizeof(float) +
         (layout.row_count_count() + layout.expert_total()) * sizeof(std::uint64_t);
}

Result<ActivationStats> ActivationStats::Create(const ActivationShape& shape) {
  EDGEMOE_ASSIGN_OR_FAIL(
      AlignedBuffer memory,
      AlignedBuffer::Allocate(ActivationLayout(shape).sum_count() * sizeof(float)));
  return ActivationStats(shape, std::move(memory));
}

ActivationStats::ActivationStats(const ActivationShape& shape, AlignedBuffer memory)
    : layout_(shape),
      memory_(std::move(memory)),
      row_counts_(layout_.row_count_count()),
      use_counts_(layout_.expert_total()) {}

void ActivationStats::OnDense(DenseInput input, LayerIndex layer, const float* x,
                              std::size_t row_count, std::size_t column_count) {
  const std::span<float> sums = Sums(layout_.dense(input, layer));
  EDGEMOE_CHECK(column_count == sums.size(), "the observed model has another shape");
  for (std::size_t begin = 0; begin < column_count; begin += kColumnBlock) {
    const std::size_t count = std::min(kColumnBlock, column_count - begin);
    BlockSums block{};
    for (std::size_t row = 0; row < row_count; ++row) {
      AddSquares(x + row * column_count + begin, 1.0, count, block);
    }
    AddTo(sums.data() + begin, block, count);
  }
  row_counts_[layout_.row_count_index(input, layer)] += row_count;
}

void ActivationStats::OnExpertInput(const ObservedUses& uses, const float* x, std::size_t width) {
  const ExpertKey key = uses.key;
  const std::span<float> sums = Sums(layout_.expert(ExpertSum::kInput, key));
  EDGEMOE_CHECK(width == sums.size(), "the observed model has another shape");
  for (std::size_t begin = 0; begin < width; begin += kColumnBlock) {
    const std::size_t count = std::min(kColumnBlock, width - begin);
    BlockSums block{};
    for (std::size_t u = 0; u < uses.rows.size(); ++u) {
      AddSquares(x + uses.rows[u] * width + begin, SquareOf(uses.weights[u]), count, block);
    }
    AddTo(sums.data() + begin, block, count);
  }

  BlockSums weight_sum{};
  BlockSums square_sum{};
  for (const float weight : uses.weights) {
    weight_sum[0] += static_cast<double>(weight);
    square_sum[0] += SquareOf(weight);
  }
  AddTo(&Sums(layout_.weight_sums(key.layer))[key.expert.value], weight_sum, 1);
  AddTo(&Sums(layout_.weight_square_sums(key.layer))[key.expert.value], square_sum, 1);
  use_counts_[layout_.expert_index(key)] += uses.rows.size();
}

void ActivationStats::OnHidden(const ObservedUses& uses, const ObservedHidden& hidden) {
  const ExpertKey key = uses.key;
  EDGEMOE_CHECK(hidden.end <= layout_.shape().expert_width, "the observed model has another shape");
  float* const gate_slopes = Sums(layout_.expert(ExpertSum::kGateSlope, key)).data();
  float* const up_slopes = Sums(layout_.expert(ExpertSum::kUpSlope, key)).data();
  float* const hiddens = Sums(layout_.expert(ExpertSum::kHidden, key)).data();
  for (std::size_t begin = hidden.begin; begin < hidden.end; begin += kColumnBlock) {
    const std::size_t count = std::min(kColumnBlock, hidden.end - begin);
    BlockSums sums[3] = {};
    for (std::size_t u = 0; u < uses.weights.size(); ++u) {
      const std::size_t first = u * hidden.stride + begin;
      const double scale = SquareOf(uses.weights[u]);
      const float* const gate = hidden.gate + first;
      const float* const up = hidden.up + first;
      switch (hidden.activation) {
        case Activation::kSwiglu: AddHidden(JoinSwiglu, gate, up, scale, count, sums); break;
        case Activation::kClampedSwiglu:
          AddHidden(JoinClampedSwiglu, gate, up, scale, count, sums);
          break;
        case Activation::kGeglu: AddHidden(JoinGeglu, gate, up, scale, count, sums); break;
      }
    }
    AddTo(gate_slopes + begin, sums[0], count);
    AddTo(up_slopes + begin, sums[1], count);
    AddTo(hiddens + begin, sums[2], count);
  }
}

std::uint64_t ActivationStats::never_used_count() const {
  return static_cast<std::uint64_t>(std::ranges::count(use_counts_, 0U));
}

Status ActivationStats::CheckFinite() const {
  for (const ActivationLayout::Tensor& tensor : layout_.Tensors()) {
    const std::span<const float> sums = Sums(tensor.range);
    // No summand is negative; NaN is no number at all.
    if (std::ranges::all_of(sums, [](float sum) { return sum >= 0 && std::isfinite(sum); }))
      continue;
    return FailedPreconditionError(
        "calibration: " + tensor.name +
        ": sums of squares that are not finite; the model's weights are damaged, or its "
        "activations overflow");
  }
  return OkStatus();
}

}  // namespace edgemoe
