// SPDX-License-Identifier: Apache-2.0
#include "engine/study/replaced_experts.h"

#include <gtest/gtest.h>

#include "tests/engine/study/offline_models.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

constexpr std::size_t kUp = static_cast<std::size_t>(ExpertRole::kUp);

class OverlaySourceTest : public testing::Test {
 protected:
  // All experts of all layers, in order.
  std::vector<ReadyExpert> GiveAll(ExpertSource& source) {
    std::vector<ReadyExpert> all;
    const ExpertLayout& layout = model_->layout().experts;
    for (std::uint32_t layer = 0; layer < layout.layer_count; ++layer) {
      std::vector<ExpertIndex> experts;
      for (std::uint32_t e = 0; e < layout.experts_per_layer; ++e)
        experts.push_back(ExpertIndex{e});
      source.Begin(ExpertLayerIndex{layer}, {}, experts);
      std::vector<ReadyExpert> ready(5);
      while (const std::size_t count = source.NextReady(ready)) {
        all.insert(all.end(), ready.begin(), ready.begin() + static_cast<std::ptrdiff_t>(count));
        source.Release(std::span(ready).first(count));
      }
    }
    return all;
  }
  static bool Same(const ReadyExpert& a, const ReadyExpert& b) {
    return a.matrices == b.matrices && a.types == b.types && a.status.ok() == b.status.ok();
  }

  const TestFile file_{FloatModelBytes()};
  const std::unique_ptr<LoadedModel> model_ = *LoadedModel::Load(file_.bytes(), {});
  ReplacedExperts overlay_{model_->layout().experts.layer_count,
                           model_->layout().experts.experts_per_layer};
  ReplacedExpertsSource source_{&model_->experts(), &overlay_};
};

TEST_F(OverlaySourceTest, ReplacesWhatItSaysAndNothingElse) {
  const std::vector<ReadyExpert> before = GiveAll(model_->experts());
  const ExpertKey key = {ExpertLayerIndex{1}, ExpertIndex{6}};
  const std::size_t place = model_->layout().experts.IndexOf(key);
  const std::vector<std::byte> bytes(64);
  overlay_.Set(key, ExpertRole::kUp, TensorType::kQ4_0, bytes);

  std::vector<ReadyExpert> after = GiveAll(source_);
  ASSERT_EQ(after.size(), before.size());
  EXPECT_EQ(after[place].matrices[kUp], bytes.data());
  EXPECT_EQ(after[place].types[kUp], TensorType::kQ4_0);
  after[place].matrices[kUp] = before[place].matrices[kUp];
  after[place].types[kUp] = before[place].types[kUp];
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(Same(after[i], before[i])) << i;

  overlay_.Clear();
  after = GiveAll(source_);
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(Same(after[i], before[i])) << i;
}

TEST_F(OverlaySourceTest, WhatFailsStillFails) {
  const ExpertKey key = {ExpertLayerIndex{0}, ExpertIndex{2}};
  const std::vector<std::byte> bytes(64);
  overlay_.Set(key, ExpertRole::kUp, TensorType::kQ4_0, bytes);
  model_->experts().Fail(key);
  const std::vector<ReadyExpert> all = GiveAll(source_);
  EXPECT_EQ(all[2].status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(all[2].matrices[kUp], nullptr);
}

class OfflineOverlayTest : public testing::Test {
 protected:
  OfflineOverlayTest() {
    OfflineModelOptions options;
    options.path = file_.path();
    options.context_tokens = 64;
    model_ = *OfflineModel::Open(options);
  }

  std::span<const std::byte> In(std::uint64_t offset, std::uint64_t bytes) const {
    return std::span<const std::byte>(coarse_).subspan(offset, bytes);
  }
  void ReplaceExperts() {
    const ExpertLayout& layout = coarse_model_->layout().experts;
    for (std::uint32_t layer = 0; layer < layout.layer_count; ++layer)
      for (std::uint32_t expert = 0; expert < layout.experts_per_layer; ++expert)
        for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
          const ExpertKey key = {ExpertLayerIndex{layer}, ExpertIndex{expert}};
          const ExpertExtent& extent = layout.of(key)[role];
          model_->overlay().Set(key, static_cast<ExpertRole>(role), extent.type,
                                In(extent.offset, extent.bytes));
        }
  }
  void ReplaceDense() {
    const auto& dense = coarse_model_->layout().dense;
    for (std::size_t i = 0; i < dense.size(); ++i)
      if (!IsFloatVector(dense[i].role))
        model_->SetDense(i, dense[i].type, In(dense[i].file_offset, dense[i].file_bytes));
  }

  const TestFile file_{FloatModelBytes()};
  const std::vector<std::byte> coarse_ = Requantized(file_.bytes(), TensorType::kQ4_0);
  const std::unique_ptr<LoadedModel> coarse_model_ = *LoadedModel::Load(coarse_, {});
  const std::vector<TokenId> tokens_ = RandomTokens(50);
  std::unique_ptr<OfflineModel> model_;
};

TEST_F(OfflineOverlayTest, AllOfAnotherFileIsThatFile) {
  const std::vector<float> fine = LogitsInMemory(file_.bytes(), tokens_);
  const std::vector<float> coarse = LogitsInMemory(coarse_, tokens_);
  ASSERT_NE(fine, coarse);
  ReplaceExperts();
  const auto half = LogitsOf(*model_, tokens_);
  EXPECT_NE(half, fine);
  EXPECT_NE(half, coarse);
  ReplaceDense();
  EXPECT_EQ(LogitsOf(*model_, tokens_), coarse);
  model_->ClearReplacements();
  EXPECT_EQ(LogitsOf(*model_, tokens_), fine);
}

TEST_F(OfflineOverlayTest, OneDenseMatrixCounts) {
  const std::vector<float> fine = LogitsInMemory(file_.bytes(), tokens_);
  const auto& dense = coarse_model_->layout().dense;
  for (std::size_t i = 0; i < dense.size(); ++i) {
    // Routers keep their type when a file is requantised.
    if (IsFloatVector(dense[i].role) || dense[i].type == TensorType::kF32) continue;
    model_->SetDense(i, dense[i].type, In(dense[i].file_offset, dense[i].file_bytes));
    EXPECT_NE(LogitsOf(*model_, tokens_), fine) << i;
    model_->ClearReplacements();
  }
  EXPECT_EQ(LogitsOf(*model_, tokens_), fine);
}

TEST_F(OfflineOverlayTest, ATiedOutputGoesWithTheEmbedding) {
  const TestFile tied(TinyModelBytes({.dense_type = TensorType::kF32}));
  const std::vector<std::byte> coarse = Requantized(tied.bytes(), TensorType::kQ4_0);
  const auto coarse_model = *LoadedModel::Load(coarse, {});
  OfflineModelOptions options;
  options.path = tied.path();
  options.context_tokens = 64;
  const auto model = *OfflineModel::Open(options);
  const auto bytes = [&](std::uint64_t offset, std::uint64_t count) {
    return std::span<const std::byte>(coarse).subspan(offset, count);
  };
  const auto& dense = coarse_model->layout().dense;
  for (std::size_t i = 0; i < dense.size(); ++i)
    if (!IsFloatVector(dense[i].role))
      model->SetDense(i, dense[i].type, bytes(dense[i].file_offset, dense[i].file_bytes));
  const ExpertLayout& experts = coarse_model->layout().experts;
  for (std::uint32_t i = 0; i < experts.extents.size(); ++i)
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      const ExpertExtent& extent = experts.extents[i][role];
      model->overlay().Set({ExpertLayerIndex{i / experts.experts_per_layer},
                            ExpertIndex{i % experts.experts_per_layer}},
                           static_cast<ExpertRole>(role), extent.type,
                           bytes(extent.offset, extent.bytes));
    }
  EXPECT_EQ(LogitsOf(*model, tokens_), LogitsInMemory(coarse, tokens_));
}

}  // namespace
}  // namespace edgemoe
