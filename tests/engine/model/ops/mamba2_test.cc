// SPDX-License-Identifier: Apache-2.0
//
// The operator against the quadratic form of arXiv 2405.21060, section 3, in double: there is no
// state in it; every output is a sum over the positions before it.
#include "engine/model/ops/mamba2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/base/random.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/ops/residual_stream.h"

namespace edgemoe {
namespace {

constexpr std::size_t kPositions = 40;
constexpr std::size_t kRowsMax = 16;
constexpr std::size_t kWidth = 24;
constexpr double kUnitRoundoff = 0x1.0p-24;

using Doubles = std::vector<double>;

double Silu(double x) { return x / (1 + std::exp(-x)); }

// RMS norm of x[begin, begin + size) with its weights.
void Norm(const float* weights, double epsilon, std::size_t begin, std::size_t size, Doubles& x) {
  double squares = 0;
  for (std::size_t i = begin; i < begin + size; ++i) squares += x[i] * x[i];
  const double scale = 1 / std::sqrt(squares / static_cast<double>(size) + epsilon);
  for (std::size_t i = begin; i < begin + size; ++i)
    x[i] *= scale * static_cast<double>(weights[i]);
}

class Mamba2Test : public testing::TestWithParam<Mamba2Config> {
 protected:
  void SetUp() override {
    config_.width = kWidth;
    config_.vocabulary_size = 1;
    config_.context_length = kPositions;
    config_.rms_epsilon = 0.02F;
    config_.residual_scale = 0.7F;
    config_.layers.resize(1);
    config_.layers[0].mixer = mamba();
    Fill(TensorRole::kAttentionNorm, 1, 0.3);
    Fill(TensorRole::kMambaIn, 0, 0.3);
    Fill(TensorRole::kMambaKernel, 0, 1);
    Fill(TensorRole::kMambaKernelBias, 0, 0.5);
    Fill(TensorRole::kMambaStepBias, -1.5, 1);
    Fill(TensorRole::kMambaDecay, -0.6, 0.2);
    Fill(TensorRole::kMambaSkip, 0.5, 0.5);
    Fill(TensorRole::kMambaNorm, 1, 0.3);
    Fill(TensorRole::kMambaOut, 0, 0.3);
    x_.resize(kPositions * kWidth);
    for (float& x : x_) x = Draw(0, 1);
  }

  const Mamba2Config& mamba() const { return GetParam(); }
  const std::vector<float>& Of(TensorRole role) const { return values_.at(role); }

  float Draw(double centre, double reach) {
    return static_cast<float>(centre + reach * (2 * random_.NextUnit() - 1));
  }

  void Fill(TensorRole role, double centre, double reach) {
    const TensorShape shape = ShapeOf(role, config_, config_.layers[0]);
    std::vector<float>& values = values_[role];
    values.resize(shape.rows * shape.columns);
    for (float& value : values) value = Draw(centre, reach);
    weights_.Set(role, {TensorType::kF32, reinterpret_cast<const std::byte*>(values.data()),
                        static_cast<std::uint32_t>(shape.rows),
                        static_cast<std::uint32_t>(shape.columns), shape.columns * sizeof(float)});
  }

  // What a layer makes of x, in steps of `chunk` positions.
  std::vector<float> Run(std::size_t chunk) {
    auto workspace = Workspace::Create(config_, {kRowsMax, 1, 2});
    auto pool = StatePool::Create(
        StateShapeOf(config_),
        {.token_capacity = kPositions, .context_tokens = kPositions, .rows_max = kRowsMax});
    EXPECT_TRUE(workspace && pool);
    ComputePool threads(2);
    const OpContext context = {config_, *AvailableKernels().front(), threads, *workspace, kRowsMax};
    Mamba2 mamba(context);
    SequenceState sequence(*pool);
    std::vector<float> out;
    for (std::size_t begin = 0; begin < kPositions; begin += chunk) {
      const std::size_t end = std::min(begin + chunk, kPositions);
      EXPECT_TRUE(
          sequence.Prepare(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end))
              .ok());
      std::vector<BatchRow> rows;
      for (std::size_t i = begin; i < end; ++i)
        rows.push_back({&sequence, static_cast<std::uint32_t>(i), TokenId{0}, false, nullptr});
      std::vector<RowResult> results(rows.size());
      ActiveRows active(kRowsMax);
      active.Start(rows, results);
      std::copy(x_.begin() + static_cast<std::ptrdiff_t>(begin * kWidth),
                x_.begin() + static_cast<std::ptrdiff_t>(end * kWidth), workspace->x);
      NormRows(context, workspace->x, weights_.floats(TensorRole::kAttentionNorm), rows.size(),
               workspace->normed);
      mamba.Run(LayerIndex{0}, weights_, active);
      AddDelta(context, MixerDelta(weights_), rows.size());
      out.insert(out.end(), workspace->x, workspace->x + (end - begin) * kWidth);
    }
    return out;
  }

  Doubles Multiply(TensorRole role, const Doubles& x) const {
    const std::vector<float>& matrix = Of(role);
    Doubles y(matrix.size() / x.size());
    for (std::size_t i = 0; i < matrix.size(); ++i)
      y[i / x.size()] += static_cast<double>(matrix[i]) * x[i % x.size()];
    return y;
  }

  // Of all positions, what the projection in gives.
  std::vector<Doubles> Projected() const {
    std::vector<Doubles> all;
    for (std::size_t t = 0; t < kPositions; ++t) {
      Doubles x(x_.begin() + static_cast<std::ptrdiff_t>(t * kWidth),
                x_.begin() + static_cast<std::ptrdiff_t>((t + 1) * kWidth));
      Norm(Of(TensorRole::kAttentionNorm).data(), static_cast<double>(config_.rms_epsilon), 0,
           kWidth, x);
      all.push_back(Multiply(TensorRole::kMambaIn, x));
    }
    return all;
  }

  // x, b and c of a position.
  Doubles Convolved(const std::vector<Doubles>& projected, std::size_t t) const {
    Doubles sums(mamba().channels());
    for (std::size_t channel = 0; channel < sums.size(); ++channel) {
      sums[channel] = static_cast<double>(Of(TensorRole::kMambaKernelBias)[channel]);
      for (std::size_t back = 0; back < mamba().taps && back <= t; ++back) {
        const std::size_t tap = channel * mamba().taps + mamba().taps - 1 - back;
        sums[channel] += static_cast<double>(Of(TensorRole::kMambaKernel)[tap]) *
                         projected[t - back][mamba().inner_size() + channel];
      }
      sums[channel] = Silu(sums[channel]);
    }
    return sums;
  }

  double Step(const Doubles& projected, std::size_t head) const {
    const std::size_t at = mamba().inner_size() + mamba().channels() + head;
    const double bias = static_cast<double>(Of(TensorRole::kMambaStepBias)[head]);
    return std::log(1 + std::exp(projected[at] + bias));
  }

  // Adds to y what position s gives to position t by the heads' masks.
  void Attend(const std::vector<Doubles>& projected, const std::vector<Doubles>& convolved,
              std::size_t t, std::size_t s, Doubles& y) const {
    const std::size_t inner = mamba().inner_size();
    for (std::size_t head = 0; head < mamba().head_count; ++head) {
      const std::size_t group = head / (mamba().head_count / mamba().group_count);
      const std::size_t b = inner + group * mamba().state_size;
      const std::size_t c = b + mamba().group_count * mamba().state_size;
      double product = 0;
      for (std::size_t n = 0; n < mamba().state_size; ++n)
        product += convolved[t][c + n] * convolved[s][b + n];
      double exponent = 0;
      for (std::size_t k = s + 1; k <= t; ++k) exponent += Step(projected[k], head);
      product *= std::exp(static_cast<double>(Of(TensorRole::kMambaDecay)[head]) * exponent) *
                 Step(projected[s], head);
      for (std::size_t i = head * mamba().head_size; i < (head + 1) * mamba().head_size; ++i) {
        y[i] += product * convolved[s][i];
        if (s == t) y[i] += static_cast<double>(Of(TensorRole::kMambaSkip)[head]) * convolved[t][i];
      }
    }
  }

  Doubles Expected() const {
    const std::vector<Doubles> projected = Projected();
    std::vector<Doubles> convolved;
    for (std::size_t t = 0; t < kPositions; ++t) convolved.push_back(Convolved(projected, t));
    Doubles all;
    for (std::size_t t = 0; t < kPositions; ++t) {
      Doubles y(mamba().inner_size());
      for (std::size_t s = 0; s <= t; ++s) Attend(projected, convolved, t, s, y);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] *= Silu(projected[t][i]);
      const std::size_t size = y.size() / mamba().group_count;
      for (std::size_t begin = 0; begin < y.size(); begin += size)
        Norm(Of(TensorRole::kMambaNorm).data(), static_cast<double>(config_.rms_epsilon), begin,
             size, y);
      const Doubles delta = Multiply(TensorRole::kMambaOut, y);
      for (std::size_t i = 0; i < kWidth; ++i)
        all.push_back(static_cast<double>(x_[t * kWidth + i]) +
                      static_cast<double>(config_.residual_scale) * delta[i]);
    }
    return all;
  }

  ModelConfig config_;
  Random random_{5};
  std::map<TensorRole, std::vector<float>> values_;
  LayerWeights weights_;
  std::vector<float> x_;  // [positions, width]
};

// Sums of so many terms follow one another: into the projection, over positions and states, into
// the norm, out of it. None is much smaller than its terms here, and outputs are about 1.
TEST_P(Mamba2Test, IsTheQuadraticForm) {
  const double terms = 2.0 * kWidth + kPositions + mamba().state_size + 2.0 * mamba().inner_size();
  const std::vector<float> found = Run(kRowsMax);
  const Doubles expected = Expected();
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(static_cast<double>(found[i]), expected[i], terms * kUnitRoundoff)
        << "position " << i / kWidth << ", element " << i % kWidth;
}

TEST_P(Mamba2Test, StepsOfAnyLengthGiveTheSameBits) {
  const std::vector<float> whole = Run(kRowsMax);
  for (const std::size_t chunk : {1U, 2U, 7U}) EXPECT_EQ(Run(chunk), whole) << chunk;
}

Mamba2Config Config(std::uint32_t taps, std::uint32_t heads, std::uint32_t groups,
                    std::uint32_t state_size) {
  return {.taps = taps,
          .head_count = heads,
          .head_size = 5,
          .state_size = state_size,
          .group_count = groups};
}

INSTANTIATE_TEST_SUITE_P(Configs, Mamba2Test,
                         testing::Values(Config(4, 6, 1, 16), Config(2, 6, 3, 7),
                                         Config(5, 60, 60, 9)));

}  // namespace
}  // namespace edgemoe
