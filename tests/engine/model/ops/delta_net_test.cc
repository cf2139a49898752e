// SPDX-License-Identifier: Apache-2.0
//
// The operator against the formulas of the paper, written plainly in double; and what a sequence
// keeps between steps.
#include "engine/model/ops/delta_net.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "engine/base/random.h"
#include "engine/kernels/dispatch.h"
#include "engine/model/ops/residual_stream.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kWidth = 24;
constexpr std::uint32_t kPositions = 11;

using Vector = std::vector<double>;
using Weighting = std::map<TensorRole, std::vector<float>>;

double Silu(double x) { return x / (1 + std::exp(-x)); }
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

ModelConfig ConfigWith(const DeltaNetConfig& delta) {
  ModelConfig config;
  config.width = kWidth;
  config.vocabulary_size = 1;
  config.context_length = 64;
  config.rms_epsilon = 1e-5F;
  config.layers.resize(1);
  config.layers[0].mixer = delta;
  return config;
}

// Row `row` of a matrix of `role` times x.
double Product(const Weighting& weights, TensorRole role, std::size_t row, const Vector& x) {
  const std::vector<float>& matrix = weights.at(role);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += static_cast<double>(matrix[row * x.size() + i]) * x[i];
  return sum;
}

// One sequence of a layer, a position a call.
class Reference {
 public:
  Reference(const ModelConfig& config, const Weighting& weights, bool grouped)
      : delta_(*config.layers[0].mixer_as<DeltaNetConfig>()),
        epsilon_(static_cast<double>(config.rms_epsilon)),
        weights_(weights),
        grouped_(grouped),
        states_(delta_.value_head_count, Vector(delta_.head_size * delta_.head_size)) {}

  // What the layer adds to x.
  Vector Next(const Vector& x) {
    normed_ = Normed(x, TensorRole::kAttentionNorm);
    past_.push_back(Channels());
    const Vector convolved = Convolved();
    Vector heads;
    for (std::size_t h = 0; h < delta_.value_head_count; ++h)
      for (const double value : Head(h, convolved)) heads.push_back(value);
    Vector out(kWidth);
    for (std::size_t i = 0; i < kWidth; ++i)
      out[i] = Product(weights_, TensorRole::kDeltaOut, i, heads);
    return out;
  }

 private:
  Vector Normed(const Vector& x, TensorRole role) const {
    double squares = 0;
    for (const double value : x) squares += value * value;
    Vector out;
    for (std::size_t i = 0; i < x.size(); ++i)
      out.push_back(x[i] / std::sqrt(squares / static_cast<double>(x.size()) + epsilon_) *
                    static_cast<double>(weights_.at(role)[i]));
    return out;
  }

  std::size_t each() const { return delta_.value_head_count / delta_.key_head_count; }

  // Element `i` of head `place` of a key head's group, in a matrix that is grouped.
  double Grouped(std::size_t key_head, std::size_t place, std::size_t i) const {
    const std::size_t row = (key_head * (2 + 2 * each()) + place) * delta_.head_size + i;
    return Product(weights_, TensorRole::kDeltaGroupedIn, row, normed_);
  }

  // Queries, keys and values before the convolution.
  Vector Channels() const {
    Vector channels;
    const std::size_t size = delta_.head_size;
    const std::size_t keys = delta_.key_head_count;
    for (std::size_t c = 0; c < delta_.channels(); ++c) {
      const std::size_t head = c / size;
      if (!grouped_) {
        channels.push_back(Product(weights_, TensorRole::kDeltaIn, c, normed_));
      } else if (head < 2 * keys) {
        channels.push_back(Grouped(head % keys, head / keys, c % size));
      } else {
        const std::size_t value_head = head - 2 * keys;
        channels.push_back(Grouped(value_head / each(), 2 + value_head % each(), c % size));
      }
    }
    return channels;
  }

  double Gate(std::size_t head, std::size_t i) const {
    if (grouped_) return Grouped(head / each(), 2 + each() + head % each(), i);
    return Product(weights_, TensorRole::kDeltaGate, head * delta_.head_size + i, normed_);
  }

  double RateOrDecay(TensorRole role, std::size_t head) const {
    if (!delta_.joined_rates) return Product(weights_, role, head, normed_);
    const std::size_t row =
        head / each() * 2 * each() + head % each() + (role == TensorRole::kDeltaDecay ? each() : 0);
    return Product(weights_, TensorRole::kDeltaRatesDecays, row, normed_);
  }

  Vector Convolved() const {
    const std::vector<float>& kernel = weights_.at(TensorRole::kDeltaKernel);
    Vector out;
    for (std::size_t c = 0; c < delta_.channels(); ++c) {
      double sum = 0;
      for (std::size_t back = 0; back < std::min<std::size_t>(delta_.taps, past_.size()); ++back)
        sum += static_cast<double>(kernel[c * delta_.taps + delta_.taps - 1 - back]) *
               past_[past_.size() - 1 - back][c];
      out.push_back(Silu(sum));
    }
    return out;
  }

  Vector Part(const Vector& convolved, std::size_t head) const {
    const auto begin = convolved.begin() + static_cast<std::ptrdiff_t>(head * delta_.head_size);
    return {begin, begin + delta_.head_size};
  }

  static Vector OfLengthOne(Vector x) {
    double squares = 0;
    for (const double value : x) squares += value * value;
    for (double& value : x) value /= std::sqrt(squares);
    return x;
  }

  Vector Head(std::size_t head, const Vector& convolved) {
    const std::size_t size = delta_.head_size;
    const std::size_t key_head =
        delta_.key_sharing == KeySharing::kTiles ? head % delta_.key_head_count : head / each();
    const Vector query = OfLengthOne(Part(convolved, key_head));
    const Vector key = OfLengthOne(Part(convolved, delta_.key_head_count + key_head));
    const Vector value = Part(convolved, 2 * delta_.key_head_count + head);
    const double bias = static_cast<double>(weights_.at(TensorRole::kDeltaDecayBias)[head]);
    const double scale = static_cast<double>(weights_.at(TensorRole::kDeltaDecayScale)[head]);
    const double decay =
        std::exp(scale * std::log(1 + std::exp(RateOrDecay(TensorRole::kDeltaDecay, head) + bias)));
    const double rate = Sigmoid(RateOrDecay(TensorRole::kDeltaRate, head));
    Vector& state = states_[head];
    Vector out(size);
    for (double& element : state) element *= decay;
    for (std::size_t v = 0; v < size; ++v) {
      double known = 0;
      for (std::size_t k = 0; k < size; ++k) known += key[k] * state[k * size + v];
      for (std::size_t k = 0; k < size; ++k) {
        state[k * size + v] += key[k] * rate * (value[v] - known);
        out[v] += query[k] * state[k * size + v] / std::sqrt(static_cast<double>(size));
      }
    }
    out = Normed(out, TensorRole::kDeltaNorm);
    for (std::size_t v = 0; v < size; ++v) out[v] *= Silu(Gate(head, v));
    return out;
  }

  const DeltaNetConfig delta_;
  const double epsilon_;
  const Weighting& weights_;
  const bool grouped_;
  Vector normed_;
  std::vector<Vector> past_;    // channels of each position
  std::vector<Vector> states_;  // of each value head
};

struct Case {
  DeltaNetConfig delta;
  bool grouped = false;
};

// A layer with random weights, the operator over it, and room for two sequences.
class Layer {
 public:
  explicit Layer(const Case& of, const KernelTable& kernels = *AvailableKernels().front(),
                 std::size_t threads = 1)
      : config_(ConfigWith(of.delta)),
        pool_(threads),
        workspace_(*Workspace::Create(config_, {kPositions, 1, threads})),
        state_(*StatePool::Create(StateShapeOf(config_), {.token_capacity = 64,
                                                          .sequences_max = 2,
                                                          .context_tokens = 64,
                                                          .rows_max = kPositions})),
        context_{config_, kernels, pool_, workspace_, kPositions},
        rows_(kPositions),
        delta_net_(context_) {
    using enum TensorRole;
    std::vector<TensorRole> roles = {kAttentionNorm,   kDeltaKernel, kDeltaDecayBias,
                                     kDeltaDecayScale, kDeltaNorm,   kDeltaOut};
    if (of.grouped) {
      roles.push_back(kDeltaGroupedIn);
    } else {
      roles.insert(roles.end(), {kDeltaIn, kDeltaGate});
    }
    if (of.delta.joined_rates) {
      roles.push_back(kDeltaRatesDecays);
    } else {
      roles.insert(roles.end(), {kDeltaRate, kDeltaDecay});
    }
    for (const TensorRole role : roles) Fill(role);
  }

  // What the layer would add to rows of x that stand behind each other: (sequence, position) of
  // each.
  std::vector<float> Run(const std::vector<BatchRow>& rows, const std::vector<float>& x) {
    std::vector<RowResult> results(rows.size());
    rows_.Start(rows, results);
    std::memcpy(workspace_.x, x.data(), x.size() * sizeof(float));
    NormRows(context_, workspace_.x, weights_.floats(TensorRole::kAttentionNorm), rows.size(),
             workspace_.normed);
    delta_net_.Run(LayerIndex{0}, weights_, rows_);
    return {workspace_.delta, workspace_.delta + x.size()};
  }

  // Positions [begin, end) of a sequence whose rows are `x`.
  std::vector<float> RunPart(SequenceState& sequence, const std::vector<float>& x,
                             std::uint32_t begin, std::uint32_t end) {
    EXPECT_TRUE(sequence.Prepare(begin, end).ok());
    std::vector<BatchRow> rows;
    for (std::uint32_t i = begin; i < end; ++i)
      rows.push_back({.sequence = &sequence, .position = i, .token = {}});
    return Run(rows, {x.begin() + begin * kWidth, x.begin() + end * kWidth});
  }

  StatePool& state() { return state_; }
  const ModelConfig& config() const { return config_; }
  const Weighting& floats() const { return floats_; }

 private:
  void Fill(TensorRole role) {
    const TensorShape shape = ShapeOf(role, config_, config_.layers[0]);
    std::vector<float>& values = floats_[role];
    for (std::uint64_t i = 0; i < shape.rows * shape.columns; ++i) {
      const double unit = 2 * random_.NextUnit() - 1;
      values.push_back(static_cast<float>(role == TensorRole::kDeltaDecayScale ? 0.25 * unit - 0.3
                                                                               : 0.7 * unit));
    }
    weights_.Set(role, {TensorType::kF32, reinterpret_cast<const std::byte*>(values.data()),
                        static_cast<std::uint32_t>(shape.rows),
                        static_cast<std::uint32_t>(shape.columns), shape.columns * sizeof(float)});
  }

  Random random_{5};
  const ModelConfig config_;
  ComputePool pool_;
  Workspace workspace_;
  StatePool state_;
  const OpContext context_;
  ActiveRows rows_;
  Weighting floats_;
  LayerWeights weights_;
  DeltaNet delta_net_;
};

std::vector<float> RandomRows(std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(kPositions * kWidth);
  for (float& value : x) value = static_cast<float>(2 * random.NextUnit() - 1);
  return x;
}

class DeltaNetTest : public testing::TestWithParam<Case> {};

TEST_P(DeltaNetTest, FollowsTheFormulas) {
  const std::vector<float> x = RandomRows(1);
  for (const KernelTable* const kernels : AvailableKernels()) {
    Layer layer(GetParam(), *kernels);
    SequenceState sequence(layer.state());
    const std::vector<float> added = layer.RunPart(sequence, x, 0, kPositions);
    Reference reference(layer.config(), layer.floats(), GetParam().grouped);
    double largest = 0;
    for (std::size_t position = 0; position < kPositions; ++position) {
      const auto begin = x.begin() + static_cast<std::ptrdiff_t>(position * kWidth);
      const Vector expected = reference.Next({begin, begin + kWidth});
      for (std::size_t i = 0; i < kWidth; ++i) {
        largest = std::max(largest, std::fabs(expected[i]));
        ASSERT_NEAR(static_cast<double>(added[position * kWidth + i]), expected[i], 1e-5)
            << kernels->name << ", position " << position << ", element " << i;
      }
    }
    EXPECT_GT(largest, 0.1);
  }
}

TEST_P(DeltaNetTest, StepsOfAnySizeGiveTheSameBits) {
  const std::vector<float> x = RandomRows(1);
  Layer layer(GetParam());
  SequenceState whole(layer.state());
  const std::vector<float> expected = layer.RunPart(whole, x, 0, kPositions);
  for (const std::size_t threads : {1U, 3U}) {
    Layer other(GetParam(), *AvailableKernels().front(), threads);
    SequenceState sequence(other.state());
    std::vector<float> added;
    for (const auto& [begin, end] : {std::pair{0U, 1U}, {1U, 6U}, {6U, 8U}, {8U, kPositions}})
      for (const float value : other.RunPart(sequence, x, begin, end)) added.push_back(value);
    EXPECT_EQ(added, expected);
  }
}

TEST_P(DeltaNetTest, SequencesOfAStepDoNotSeeEachOther) {
  Layer layer(GetParam());
  const std::vector<float> x = RandomRows(1);
  const std::vector<float> other = RandomRows(2);
  std::vector<float> expected;
  for (const std::vector<float>* const rows : {&x, &other}) {
    SequenceState sequence(layer.state());
    for (const float value : layer.RunPart(sequence, *rows, 0, 5)) expected.push_back(value);
  }
  SequenceState first(layer.state());
  SequenceState second(layer.state());
  ASSERT_TRUE(first.Prepare(0, 5).ok() && second.Prepare(0, 5).ok());
  std::vector<BatchRow> rows;
  std::vector<float> both(x.begin(), x.begin() + 5 * kWidth);
  both.insert(both.end(), other.begin(), other.begin() + 5 * kWidth);
  for (SequenceState* const sequence : {&first, &second})
    for (std::uint32_t i = 0; i < 5; ++i)
      rows.push_back({.sequence = sequence, .position = i, .token = {}});
  EXPECT_EQ(layer.Run(rows, both), expected);
}

TEST_P(DeltaNetTest, GoesOnFromASnapshotAndStartsAnew) {
  Layer layer(GetParam());
  const std::vector<float> x = RandomRows(1);
  SequenceState sequence(layer.state());
  const std::vector<float> begun = layer.RunPart(sequence, x, 0, 6);
  std::vector<std::byte> snapshot(SequenceState::SnapshotBytes(layer.state().shape(), 6));
  sequence.Snapshot(6, snapshot);
  const std::vector<float> expected = layer.RunPart(sequence, x, 6, kPositions);
  SequenceState restored(layer.state());
  ASSERT_TRUE(restored.Restore(6, snapshot).ok());
  EXPECT_EQ(layer.RunPart(restored, x, 6, kPositions), expected);
  EXPECT_EQ(layer.RunPart(restored, x, 0, 6), begun);
}

DeltaNetConfig Heads(KeySharing sharing, std::uint32_t head_size, std::uint32_t taps) {
  return {.key_head_count = 2,
          .value_head_count = 6,
          .head_size = head_size,
          .taps = taps,
          .key_sharing = sharing};
}

Case Joined(bool grouped) {
  Case joined = {.delta = Heads(KeySharing::kBlocks, 12, 4), .grouped = grouped};
  joined.delta.joined_rates = true;
  return joined;
}

INSTANTIATE_TEST_SUITE_P(Layouts, DeltaNetTest,
                         testing::Values(Case{Heads(KeySharing::kTiles, 16, 4)},
                                         Case{Heads(KeySharing::kBlocks, 5, 2)}, Joined(false),
                                         Joined(true)));

}  // namespace
}  // namespace edgemoe
