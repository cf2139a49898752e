// SPDX-License-Identifier: Apache-2.0
//
// An observer is shown what a naive forward pass computes, each value once, and changes no bit.
#include "engine/model/activation_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/engine/model/reference_forward.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

constexpr std::size_t kTokens = 40;

// One use of an expert, as it was shown.
struct SeenUse {
  float weight = 0;
  std::vector<float> x;
  std::vector<float> gate;
  std::vector<float> up;
  std::vector<int> times;  // that each value was shown
};

// Keeps all it sees; tokens are counted on over the steps.
class KeepingObserver final : public ActivationObserver {
 public:
  struct Layer {
    std::array<std::vector<std::vector<float>>, kDenseInputCount> dense;
    std::map<std::pair<std::size_t, std::size_t>, SeenUse> uses;  // by token and expert
    const auto& of(DenseInput input) const { return dense[static_cast<std::size_t>(input)]; }
  };
  std::vector<Layer> layers;
  std::size_t token_count = 0;

  explicit KeepingObserver(const TinyModelOptions& model)
      : layers(model.layer_count), model_(model) {}

  void OnDense(DenseInput input, LayerIndex layer, const float* x, std::size_t rows,
               std::size_t columns) override {
    if (input == DenseInput::kAttention && layer.value == 0) {
      first_token_ = token_count;
      token_count += rows;
    }
    auto& kept = layers[layer.value].dense[static_cast<std::size_t>(input)];
    for (std::size_t i = 0; i < rows; ++i)
      kept.emplace_back(x + i * columns, x + (i + 1) * columns);
  }

  void OnExpertInput(const ObservedUses& uses, const float* x, std::size_t width) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t u = 0; u < uses.rows.size(); ++u) {
      SeenUse& use = UseOf(uses, u);
      use.weight = uses.weights[u];
      use.x.insert(use.x.end(), x + uses.rows[u] * width, x + (uses.rows[u] + 1) * width);
    }
  }

  void OnHidden(const ObservedUses& uses, const ObservedHidden& hidden) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t u = 0; u < uses.rows.size(); ++u) {
      SeenUse& use = UseOf(uses, u);
      for (std::size_t i = hidden.begin; i < hidden.end; ++i) {
        use.gate[i] = hidden.gate[u * hidden.stride + i];
        use.up[i] = hidden.up[u * hidden.stride + i];
        ++use.times[i];
      }
    }
  }

 private:
  SeenUse& UseOf(const ObservedUses& uses, std::size_t u) {
    SeenUse& use =
        layers[uses.key.layer.value].uses[{first_token_ + uses.rows[u], uses.key.expert.value}];
    use.gate.resize(model_.expert_width);
    use.up.resize(model_.expert_width);
    use.times.resize(model_.expert_width);
    return use;
  }

  const TinyModelOptions model_;
  std::size_t first_token_ = 0;  // of the step
  std::mutex mutex_;
};

std::vector<TokenId> RandomTokens(std::size_t count) {
  Random random(7);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  }
  return tokens;
}

// Sums in float against sums in double, as in forward_reference_test.
void ExpectNear(std::span<const float> found, std::span<const double> expected,
                const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  EXPECT_LE(std::sqrt(difference), 1e-4 * std::sqrt(norm)) << what;
}

void ExpectSeen(const KeepingObserver& seen, const std::vector<ReferenceActivations>& expected) {
  ASSERT_EQ(seen.token_count, expected.size());
  const auto& output = seen.layers.back().of(DenseInput::kOutput);
  ASSERT_EQ(output.size(), expected.size());
  for (std::size_t l = 0; l < seen.layers.size(); ++l) {
    const KeepingObserver::Layer& layer = seen.layers[l];
    ASSERT_EQ(layer.of(DenseInput::kAttention).size(), expected.size());
    ASSERT_EQ(layer.of(DenseInput::kAttentionOutput).size(), expected.size());
    ASSERT_EQ(layer.of(DenseInput::kFfn).size(), expected.size());
    std::size_t use_count = 0;
    for (std::size_t t = 0; t < expected.size(); ++t) {
      const ReferenceActivations::Layer& want = expected[t].layers[l];
      const std::string where = "layer " + std::to_string(l) + ", token " + std::to_string(t);
      ExpectNear(layer.of(DenseInput::kAttention)[t], want.attention, where + ": attention");
      ExpectNear(layer.of(DenseInput::kAttentionOutput)[t], want.attention_output,
                 where + ": attention output");
      ExpectNear(layer.of(DenseInput::kFfn)[t], want.ffn, where + ": ffn");
      for (const ReferenceUse& use : want.uses) {
        const auto found = layer.uses.find({t, use.expert});
        ASSERT_NE(found, layer.uses.end()) << where << ", expert " << use.expert;
        EXPECT_NEAR(found->second.weight, use.weight, 1e-4) << where;
        ExpectNear(found->second.x, want.ffn, where + ": expert's input");
        ExpectNear(found->second.gate, use.gate, where + ": gate");
        ExpectNear(found->second.up, use.up, where + ": up");
        EXPECT_THAT(found->second.times, testing::Each(1)) << where;
        ++use_count;
      }
    }
    EXPECT_EQ(layer.uses.size(), use_count);
  }
  for (std::size_t t = 0; t < expected.size(); ++t) {
    ExpectNear(output[t], expected[t].output, "output");
  }
}

TinyModelOptions FloatModel() {
  TinyModelOptions options;
  options.dense_type = options.gate_type = options.up_type = options.down_type = TensorType::kF32;
  return options;
}

TEST(ActivationObserver, SeesWhatTheReferenceComputes) {
  const std::vector<std::byte> file = TinyModelBytes(FloatModel());
  const std::vector<TokenId> tokens = RandomTokens(kTokens);
  std::vector<ReferenceActivations> expected;
  for (const std::size_t threads : {1U, 3U}) {
    for (const std::uint32_t chunk : {64U, 7U, 1U}) {
      KeepingObserver seen(FloatModel());
      auto model =
          LoadedModel::Load(file, {.rows_max = chunk, .thread_count = threads, .observer = &seen});
      ASSERT_TRUE(model) << model.error().ToString();
      if (expected.empty()) ReferenceLogits(**model, file, tokens, &expected);
      (*model)->experts().Shuffle(chunk, 3);  // waves in some order
      SequenceState sequence((*model)->state());
      ASSERT_TRUE((*model)->Run(sequence, 0, tokens));
      ExpectSeen(seen, expected);
    }
  }
}

// Types that encode gate's and up's inputs differently.
TEST(ActivationObserver, ChangesNoBit) {
  TinyModelOptions options;
  options.width = 256;
  options.expert_width = 256;
  options.gate_type = TensorType::kQ4_K;
  options.down_type = TensorType::kQ6_K;
  const std::vector<std::byte> file = TinyModelBytes(options);
  const std::vector<TokenId> tokens = RandomTokens(kTokens);
  KeepingObserver seen(options);
  std::vector<float> logits[2];
  for (const bool observed : {false, true}) {
    auto model =
        LoadedModel::Load(file, {.thread_count = 2, .observer = observed ? &seen : nullptr});
    ASSERT_TRUE(model);
    SequenceState sequence((*model)->state());
    auto run = (*model)->Run(sequence, 0, tokens);
    ASSERT_TRUE(run);
    logits[observed] = *std::move(run);
  }
  EXPECT_EQ(seen.token_count, kTokens);
  ASSERT_EQ(logits[0].size(), logits[1].size());
  EXPECT_EQ(std::memcmp(logits[0].data(), logits[1].data(), logits[0].size() * sizeof(float)), 0);
}

TEST(ActivationObserver, SeesOnlyTheRowsThatWantLogitsAtTheOutput) {
  const std::vector<std::byte> file = TinyModelBytes(FloatModel());
  KeepingObserver seen(FloatModel());
  auto model = LoadedModel::Load(file, {.observer = &seen});
  ASSERT_TRUE(model);
  SequenceState sequence((*model)->state());
  ASSERT_TRUE(sequence.Prepare(0, 3).ok());
  const std::vector<BatchRow> rows = {{&sequence, 0, TokenId{5}, false},
                                      {&sequence, 1, TokenId{6}, true},
                                      {&sequence, 2, TokenId{7}, false}};
  std::vector<RowResult> results(rows.size());
  (*model)->forward().Run(rows, results);
  EXPECT_EQ(seen.layers[1].of(DenseInput::kOutput).size(), 1U);
  EXPECT_EQ(seen.layers[1].of(DenseInput::kFfn).size(), 3U);
}

TEST(ActivationObserver, SeesNeitherCancelledRowsNorLostExperts) {
  const std::vector<std::byte> file = TinyModelBytes(FloatModel());
  const std::atomic<bool> cancelled = true;
  int seen_rows = 0;
  for (std::uint32_t lost = 0; lost < 8; ++lost) {
    KeepingObserver seen(FloatModel());
    auto model = LoadedModel::Load(file, {.observer = &seen});
    ASSERT_TRUE(model);
    (*model)->experts().Fail({ExpertLayerIndex{0}, ExpertIndex{lost}});
    SequenceState ended((*model)->state());
    SequenceState going((*model)->state());
    ASSERT_TRUE(ended.Prepare(0, 1).ok());
    ASSERT_TRUE(going.Prepare(0, 1).ok());
    const std::vector<BatchRow> rows = {{&ended, 0, TokenId{5}, true, &cancelled},
                                        {&going, 0, TokenId{6}, true, nullptr}};
    std::vector<RowResult> results(rows.size());
    (*model)->forward().Run(rows, results);
    EXPECT_EQ(seen.layers[0].of(DenseInput::kAttention).size(), 1U);
    for (const auto& [key, use] : seen.layers[0].uses) EXPECT_NE(key.second, lost);
    const bool lives = results[1].status.ok();
    EXPECT_EQ(seen.layers[0].uses.size(), lives ? 2U : 1U);
    EXPECT_EQ(seen.layers[1].of(DenseInput::kAttention).size(), lives ? 1U : 0U);
    seen_rows += lives ? 1 : 0;
  }
  EXPECT_EQ(seen_rows, 6);  // each token wants two of the eight
}

}  // namespace
}  // namespace edgemoe
