// SPDX-License-Identifier: Apache-2.0
//
// What files of deepseek2 may say, and what they may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/arch/architecture.h"
#include "tests/golden/fixtures.h"
#include "tests/support/models/loaded_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

using Changes = std::map<std::string, std::optional<GgufValue>>;

Result<ModelConfig> Read(const char* fixture, const Changes& changes) {
  RandomModelOptions model = FindFixture(fixture)->model;
  model.changed_keys = changes;
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  return ReadModelConfig(*ParseGguf(bytes, bytes.size()));
}

const LatentAttentionConfig& LatentOf(const ModelConfig& config) {
  return *config.layers[0].mixer_as<LatentAttentionConfig>();
}

TEST(DeepSeek2Config, KeysThatFilesLeaveOut) {
  const auto config = Read("deepseek2", {{"deepseek2.attention.q_lora_rank", {}},
                                         {"deepseek2.attention.key_length", {}},
                                         {"deepseek2.attention.value_length", {}},
                                         {"deepseek2.attention.head_count_kv", {}},
                                         {"deepseek2.leading_dense_block_count", {}},
                                         {"deepseek2.expert_shared_count", {}},
                                         {"deepseek2.rope.scaling.yarn_log_multiplier", {}}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(LatentOf(*config).query_latent_size, 0U);
  EXPECT_EQ(LatentOf(*config).log_multiplier, 0);
  EXPECT_EQ(LatentOf(*config).rope.growth, 0.1);
  EXPECT_EQ(config->expert_layer_count(), 3U);
  EXPECT_EQ(config->layers[0].dense_width, 0U);
  EXPECT_EQ(config->layers[0].experts->gating, ExpertGating::kSoftmax);
  EXPECT_EQ(config->layers[0].experts->group_count, 1U);
  EXPECT_FALSE(config->layers[0].experts->normalise);
}

TEST(DeepSeek2Config, OneGroupIsNone) {
  const auto config =
      Read("deepseek2", {{"deepseek2.expert_group_count", GgufValue(std::uint32_t{1})},
                         {"deepseek2.expert_group_used_count", GgufValue(std::uint32_t{1})}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->layers[1].experts->group_count, 1U);
}

TEST(DeepSeek2Config, ALogMultiplierTakesTheGrowthFromTheRotation) {
  const auto config = Read("deepseek2", {});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(LatentOf(*config).rope.growth, 0);
  EXPECT_EQ(LatentOf(*config).rope.pairing, RopePairing::kNeighbours);
  EXPECT_EQ(config->layers[0].dense_width, 160U);
  EXPECT_EQ(config->layers[1].dense_width, 2 * config->expert_width);
}

struct BadKey {
  std::string key;
  std::optional<GgufValue> value;
  StatusCode code;
  std::string message;  // a part of it
};

class DeepSeek2Errors : public testing::TestWithParam<BadKey> {};

TEST_P(DeepSeek2Errors, NameKeyAndValue) {
  const BadKey& bad = GetParam();
  const auto config = Read("deepseek2-sigmoid", {{"deepseek2." + bad.key, bad.value}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), bad.code) << config.error().ToString();
  EXPECT_THAT(config.error().message(), HasSubstr("deepseek2." + bad.key));
  EXPECT_THAT(config.error().message(), HasSubstr(bad.message));
}

GgufValue Number(std::uint32_t number) { return number; }

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;

INSTANTIATE_TEST_SUITE_P(
    All, DeepSeek2Errors,
    testing::Values(
        BadKey{"attention.kv_lora_rank", {}, StatusCode::kNotFound, ""},
        BadKey{"attention.kv_lora_rank", Number(0), kInvalid, "found 0"},
        BadKey{"attention.kv_lora_rank", Number(1u << 20), kInvalid, "[1, 16384]"},
        BadKey{"attention.q_lora_rank", Number(1u << 20), kInvalid, "[0, 16384]"},
        BadKey{"attention.key_length_mla", Number(2), kInvalid, "[3, 1024]"},
        BadKey{"attention.value_length_mla", {}, StatusCode::kNotFound, ""},
        BadKey{"attention.value_length_mla", Number(0), kInvalid, "found 0"},
        BadKey{"attention.key_length", Number(64), kInvalid, "found 64; accepted: 80"},
        BadKey{"attention.value_length", Number(80), kInvalid, "found 80; accepted: 64"},
        BadKey{"attention.head_count_kv", Number(4), kInvalid, "found 4; accepted: 1"},
        BadKey{"attention.temperature_scale", GgufValue(0.1F), StatusCode::kUnimplemented,
               "not known"},
        BadKey{"rope.dimension_count", Number(48), kInvalid, "[2, 47]"},
        BadKey{"rope.dimension_count", Number(7), kInvalid, "even"},
        BadKey{"rope.scaling.yarn_log_multiplier", GgufValue(-1.0F), kInvalid, "-1"},
        BadKey{"expert_gating_func", Number(3), kInvalid, "[0, 2]"},
        BadKey{"expert_weights_norm", Number(1), kInvalid, "a bool"},
        BadKey{"expert_shared_count", Number(1u << 20), kInvalid, "found 1048576"},
        BadKey{"expert_group_count", Number(3), kInvalid, "divisors of the expert count 8"},
        BadKey{"expert_group_count", Number(8), kInvalid, "[0, 4]"},
        BadKey{"expert_group_used_count", Number(1), kInvalid, "[2, 4]"},
        BadKey{"expert_group_used_count", Number(5), kInvalid, "[0, 4]"},
        BadKey{"nextn_predict_layers", Number(3), kInvalid, "[0, 2]"}));

// GLM-4.7-Flash with its block that predicts a further token: not a layer, and not loaded.
TEST(DeepSeek2Config, BlocksBehindTheLayersAreNotUsed) {
  RandomModelOptions model = FindFixture("deepseek2-sigmoid")->model;
  const std::vector<std::byte> whole = RandomModelBytes(model);
  model.changed_keys["deepseek2.nextn_predict_layers"] = Number(1);
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  const auto config = ReadModelConfig(*ParseGguf(bytes, bytes.size()));
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->layer_count(), 2U);
  EXPECT_EQ(config->prediction_layer_count, 1U);
  const auto loaded = LoadedModel::Load(bytes, {});
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  const auto all = LoadedModel::Load(whole, {});
  ASSERT_TRUE(all) << all.error().ToString();
  EXPECT_LT((*loaded)->layout().dense_bytes, (*all)->layout().dense_bytes);
  EXPECT_EQ((*loaded)->layout().experts.layer_count, 1U);
}

// Routers of V2 choose without a bias, those of V3 with one.
TEST(DeepSeek2Config, TheBiasOfRoutersMayBeMissing) {
  RandomModelOptions model = FindFixture("deepseek2-sigmoid")->model;
  for (LayerConfig& layer : model.config.layers)
    if (layer.experts) layer.experts->selection_bias = false;
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  const auto loaded = LoadedModel::Load(bytes, {});
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ((*loaded)->weights().layers[1].floats(TensorRole::kSelectionBias), nullptr);
}

}  // namespace
}  // namespace edgemoe
