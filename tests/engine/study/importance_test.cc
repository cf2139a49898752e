// SPDX-License-Identifier: Apache-2.0
#include "engine/study/importance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <vector>

namespace edgemoe {
namespace {

using testing::Each;
using testing::FloatNear;
using testing::Pointwise;

const ActivationShape kShape = {.layer_count = 2,
                                .width = 4,
                                .expert_count = 3,
                                .expert_width = 2,
                                .expert_layers = {LayerIndex{0}, LayerIndex{1}},
                                .attention_widths = {3, 3}};
constexpr ExpertLayerIndex kLayer{1};

ExpertKey Expert(std::uint32_t index) { return {kLayer, ExpertIndex{index}}; }

// `times` uses of an expert with gate weight 1, all alike.
void Use(ActivationStats& stats, std::uint32_t expert, std::size_t times,
         const std::array<float, 4>& x, const std::array<float, 2>& gate,
         const std::array<float, 2>& up) {
  const std::vector<std::uint32_t> rows(times, 0);
  const std::vector<float> weights(times, 1.0F);
  const ObservedUses uses = {{kLayer, ExpertIndex{expert}}, rows, weights};
  stats.OnExpertInput(uses, x.data(), x.size());
  stats.OnHidden(uses, {.begin = 0, .end = 2, .stride = 0, .gate = gate.data(), .up = up.data()});
}

double MeanOf(const std::vector<float>& weights) {
  return std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
}

TEST(Importance, AnExpertNeverUsedIsTheMeanOfItsLayer) {
  ActivationStats stats = *ActivationStats::Create(kShape);
  Use(stats, 0, 30, {2, 0, 0, 2}, {1, 2}, {3, 1});
  Use(stats, 1, 10, {0, 4, 0, 0}, {1, 2}, {1, 1});
  // Over 40 uses the sums are {120, 160, 0, 120}.
  const Importance columns = ImportanceTable(stats).Columns(Expert(2), ExpertRole::kGate);
  EXPECT_DOUBLE_EQ(columns.mean, 2.5);
  EXPECT_THAT(columns.weights,
              Pointwise(FloatNear(2e-4F), std::vector<float>{1.2F, 1.6F, kImportanceMin, 1.2F}));
}

TEST(Importance, FewUsesShrinkTowardsTheLayer) {
  ActivationStats stats = *ActivationStats::Create(kShape);
  Use(stats, 0, 96, {1, 1, 1, 1}, {1, 1}, {1, 1});
  Use(stats, 1, 4, {5, 0, 0, 0}, {1, 1}, {1, 1});
  // The layer's means are {1.96, 0.96, 0.96, 0.96}; of 4 uses and 8 of these:
  const Importance columns = ImportanceTable(stats).Columns(Expert(1), ExpertRole::kUp);
  const double first = (4 * 25 + kPriorUses * 1.96) / (4 + kPriorUses);
  const double other = kPriorUses * 0.96 / (4 + kPriorUses);
  EXPECT_NEAR(columns.mean, (first + 3 * other) / 4, 1e-6);
  EXPECT_NEAR(columns.weights[0], first / columns.mean, 1e-4);
  EXPECT_NEAR(columns.weights[1], other / columns.mean, 1e-4);
  EXPECT_NEAR(MeanOf(columns.weights), 1, 1e-6);
}

TEST(Importance, EachRoleHasItsOwn) {
  ActivationStats stats = *ActivationStats::Create(kShape);
  // The slope of silu at 0 is a half; silu(1) is 0.731.
  Use(stats, 0, 1, {1, 2, 3, 4}, {0, 1}, {4, 0});
  const ImportanceTable table(stats);
  EXPECT_EQ(table.Columns(Expert(0), ExpertRole::kGate).weights,
            table.Columns(Expert(0), ExpertRole::kUp).weights);
  EXPECT_NEAR(table.Rows(Expert(0), ExpertRole::kGate).mean, 4.0 / 2, 1e-6);
  EXPECT_NEAR(table.Rows(Expert(0), ExpertRole::kGate).weights[0], 2, 1e-3);
  EXPECT_NEAR(table.Rows(Expert(0), ExpertRole::kUp).mean, 0.731059 * 0.731059 / 2, 1e-6);
  EXPECT_NEAR(table.Rows(Expert(0), ExpertRole::kUp).weights[1], 2, 1e-3);
  // Nothing reached down: its columns are alike.
  EXPECT_EQ(table.Columns(Expert(0), ExpertRole::kDown).mean, 0);
  EXPECT_THAT(table.Columns(Expert(0), ExpertRole::kDown).weights, Each(1.0F));
}

TEST(Importance, OfDenseMatricesIsTheMeanOverRows) {
  ActivationStats stats = *ActivationStats::Create(kShape);
  const std::array<float, 6> x = {1, 2, 0, 3, 2, 0};
  stats.OnDense(DenseInput::kAttentionOutput, LayerIndex{1}, x.data(), 2, 3);
  const Importance columns =
      ImportanceTable(stats).Columns(DenseInput::kAttentionOutput, LayerIndex{1});
  EXPECT_DOUBLE_EQ(columns.mean, 3);
  EXPECT_THAT(columns.weights,
              Pointwise(FloatNear(2e-4F), std::vector<float>{5.0F / 3, 4.0F / 3, kImportanceMin}));
}

TEST(Importance, WithoutRowsAllColumnsAreAlike) {
  const ActivationStats stats = *ActivationStats::Create(kShape);
  const ImportanceTable table(stats);
  for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown}) {
    EXPECT_THAT(table.Columns(Expert(0), role).weights, Each(1.0F));
  }
  EXPECT_THAT(table.Columns(DenseInput::kOutput, LayerIndex{1}).weights, Each(1.0F));
  EXPECT_EQ(table.Columns(DenseInput::kOutput, LayerIndex{1}).mean, 0);
}

}  // namespace
}  // namespace edgemoe
