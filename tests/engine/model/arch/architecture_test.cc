// SPDX-License-Identifier: Apache-2.0
#include "engine/model/arch/architecture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

GgufFile HeaderOf(const GgufWriter& writer) {
  const std::string bytes = writer.Build().bytes;
  return *ParseGguf(std::as_bytes(std::span(bytes)), bytes.size());
}

// The tiny model's metadata with one key set to another value, or left out.
GgufFile MetadataWith(const std::string& key, const std::optional<GgufValue>& value) {
  GgufWriter whole;
  EXPECT_TRUE(SetTinyModelMetadata({}, &whole).ok());
  const GgufFile complete = HeaderOf(whole);
  GgufWriter writer;
  for (const GgufEntry& entry : complete.metadata()) {
    if (entry.key == key) continue;
    EXPECT_TRUE(writer.Set(entry.key, entry.value).ok()) << entry.key;
  }
  if (value) {
    EXPECT_TRUE(writer.Set(key, *value).ok()) << key;
  }
  return HeaderOf(writer);
}

TEST(ModelConfigTest, KeysOfOtherInputsAreNotLookedAt) {
  for (const char* key : {"qwen3moe.vision.block_count", "qwen3moe.audio.block_count",
                          "qwen3moe.mm.tokens_per_image"})
    EXPECT_TRUE(ReadModelConfig(MetadataWith(key, std::uint32_t{27}))) << key;
  for (const char* key : {"qwen3moe.visions", "qwen3moe.attention.vision.x"})
    EXPECT_EQ(ReadModelConfig(MetadataWith(key, std::uint32_t{27})).error().code(),
              StatusCode::kUnimplemented)
        << key;
}

struct BadKey {
  std::string key;
  std::optional<GgufValue> value;
  StatusCode code;
  std::string message;  // a part of it
};

class ModelConfigErrors : public testing::TestWithParam<BadKey> {};

TEST_P(ModelConfigErrors, NameKeyAndValue) {
  const BadKey& bad = GetParam();
  const auto config = ReadModelConfig(MetadataWith(bad.key, bad.value));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), bad.code) << config.error().ToString();
  EXPECT_THAT(config.error().message(), HasSubstr(bad.key));
  EXPECT_THAT(config.error().message(), HasSubstr(bad.message));
}

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr StatusCode kUnimplemented = StatusCode::kUnimplemented;
constexpr StatusCode kNotFound = StatusCode::kNotFound;

INSTANTIATE_TEST_SUITE_P(
    All, ModelConfigErrors,
    testing::Values(
        BadKey{"general.architecture", std::string("falcon"), kUnimplemented, "falcon"},
        BadKey{"general.architecture", {}, kNotFound, ""},
        BadKey{"qwen3moe.block_count", {}, kNotFound, ""},
        BadKey{"qwen3moe.block_count", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"qwen3moe.block_count", std::uint32_t{5000}, kInvalid, "[1, 1024]"},
        BadKey{"qwen3moe.block_count", std::string("six"), kInvalid, "six"},
        BadKey{"qwen3moe.embedding_length", UINT32_MAX, kInvalid, "4294967295"},
        BadKey{"qwen3moe.context_length", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"qwen3moe.attention.head_count", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"qwen3moe.attention.head_count_kv", std::uint32_t{3}, kInvalid, "divisors"},
        BadKey{"qwen3moe.attention.head_count_kv", std::uint32_t{8}, kInvalid, "[1, 4]"},
        BadKey{"qwen3moe.attention.key_length", std::uint32_t{15}, kInvalid, "even"},
        BadKey{"qwen3moe.attention.value_length", std::uint32_t{32}, kInvalid,
               "found 32; accepted: 16"},
        BadKey{"qwen3moe.attention.sliding_window", std::uint32_t{128}, kUnimplemented,
               "not known"},
        BadKey{"qwen3moe.attention.layer_norm_rms_epsilon", {}, kNotFound, ""},
        BadKey{"qwen3moe.attention.layer_norm_rms_epsilon", -1.0F, kInvalid, "-1"},
        BadKey{"qwen3moe.rope.freq_base", 0.0F, kInvalid, "found 0"},
        BadKey{"qwen3moe.rope.dimension_count", std::uint32_t{18}, kInvalid, "found 18"},
        BadKey{"qwen3moe.rope.dimension_count", std::uint32_t{7}, kInvalid, "even"},
        BadKey{"qwen3moe.rope.scaling.type", std::string("longrope"), kUnimplemented, "longrope"},
        BadKey{"qwen3moe.rope.scaling.factor", 0.5F, kInvalid, "0 and [1,"},
        BadKey{"qwen3moe.rope.scaling.factor", std::nanf(""), kInvalid, "nan"},
        BadKey{"qwen3moe.rope.scale_linear", 0.5F, kInvalid, "0 and [1,"},
        BadKey{"qwen3moe.attention.causal", false, kUnimplemented, "found false; accepted: true"},
        BadKey{"qwen3moe.attention.causal", std::uint32_t{0}, kInvalid, "a bool"},
        BadKey{"qwen3moe.attention.head_count", GgufArray::OfInt32({4, 2}), kUnimplemented,
               "found 4 in layer 0 and 2 in layer 1; accepted: one integer, or 2 equal ones"},
        BadKey{"qwen3moe.attention.head_count", GgufArray::OfInt32({4, 4, 4}), kInvalid,
               "found an array of 3; accepted: one integer, or 2 equal ones"},
        BadKey{"qwen3moe.attention.head_count_kv", GgufArray::OfInt32({-2, -2}), kInvalid,
               "found -2; accepted: [1, 4]"},
        BadKey{"qwen3moe.expert_count", std::uint32_t{2000}, kInvalid, "[1, 1024]"},
        BadKey{"qwen3moe.expert_used_count", std::uint32_t{9}, kInvalid, "[1, 8]"},
        BadKey{"qwen3moe.expert_used_count", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"qwen3moe.expert_feed_forward_length", {}, kNotFound, ""},
        BadKey{"qwen3moe.expert_shared_count", std::uint32_t{1}, kInvalid, "found 1; accepted: 0"},
        BadKey{"qwen3moe.expert_gating_func", std::uint32_t{2}, kInvalid, "found 2"},
        BadKey{"qwen3moe.expert_weights_scale", -2.5F, kInvalid, "-2.5"},
        BadKey{"qwen3moe.leading_dense_block_count", std::uint32_t{2}, kInvalid, "[0, 1]"},
        BadKey{"qwen3moe.ssm.state_size", std::uint32_t{2}, kUnimplemented, "not known"},
        BadKey{"tokenizer.ggml.tokens", std::uint32_t{1}, kInvalid, ""}));

TEST(ModelConfig, ReadsTheTinyModel) {
  const auto config = ReadModelConfig(MetadataWith("unused.key", std::uint32_t{1}));
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->architecture, "qwen3moe");
  EXPECT_EQ(config->name, "tiny");
  ASSERT_EQ(config->layer_count(), 2U);
  EXPECT_EQ(config->width, 64U);
  EXPECT_EQ(config->expert_count, 8U);
  EXPECT_EQ(config->expert_used_count, 2U);
  EXPECT_EQ(config->expert_width, 64U);
  EXPECT_EQ(config->vocabulary_size, kTinyVocabularySize);
  EXPECT_EQ(config->context_length, 256U);
  EXPECT_FLOAT_EQ(config->rms_epsilon, 1e-6F);
  for (std::uint32_t i = 0; i < 2; ++i) {
    const LayerConfig& layer = config->layers[i];
    EXPECT_EQ(layer.attention().head_count, 4U);
    EXPECT_EQ(layer.attention().kv_head_count, 2U);
    EXPECT_EQ(layer.attention().head_size, 16U);
    EXPECT_EQ(layer.attention().window, 0U);
    EXPECT_EQ(layer.attention().qk_norm, QkNorm::kHead);
    EXPECT_EQ(layer.attention().rope, (RopeConfig{.dimension_count = 16, .base = 10000.0F}));
    ASSERT_TRUE(layer.experts);
    EXPECT_EQ(layer.experts->index, ExpertLayerIndex{i});
    EXPECT_TRUE(layer.experts->normalise);
    EXPECT_EQ(layer.experts->weights_scale, 1.0F);
  }
}

// The first layer of the tiny model with one key set or left out.
LayerConfig LayerWith(const std::string& key, const std::optional<GgufValue>& value) {
  const auto config = ReadModelConfig(MetadataWith(key, value));
  EXPECT_TRUE(config) << config.error().ToString();
  return config->layers.front();
}

TEST(ModelConfig, OptionalKeysHaveTheirUsualDefaults) {
  EXPECT_EQ(LayerWith("qwen3moe.attention.head_count_kv", {}).attention().kv_head_count, 4U);
  EXPECT_EQ(LayerWith("qwen3moe.attention.key_length", {}).attention().head_size, 16U);
  EXPECT_FLOAT_EQ(LayerWith("qwen3moe.rope.freq_base", {}).attention().rope.base, 10000.0F);
  EXPECT_EQ(ReadModelConfig(MetadataWith("general.name", {}))->name, "");
}

TEST(ModelConfig, RopeScalingAsFilesSayIt) {
  const RopeConfig linear =
      LayerWith("qwen3moe.rope.scaling.type", std::string("linear")).attention().rope;
  EXPECT_EQ(linear.scaling, RopeScaling::kLinear);
  EXPECT_EQ(linear.factor, 1.0F);
  const RopeConfig old = LayerWith("qwen3moe.rope.scaling.factor", 4.0F).attention().rope;
  EXPECT_EQ(old.scaling, RopeScaling::kLinear) << "a factor without a type";
  EXPECT_EQ(old.factor, 4.0F);
  EXPECT_EQ(LayerWith("qwen3moe.rope.scaling.factor", 0.0F).attention().rope.factor, 1.0F);
  EXPECT_EQ(LayerWith("qwen3moe.rope.scale_linear", 4.0F).attention().rope, old) << "its old name";
  EXPECT_EQ(LayerWith("qwen3moe.rope.scaling.attn_factor", 0.5F).attention().rope.attention_factor,
            0.5F)
      << "also where nothing is scaled";
  const RopeConfig yarn =
      LayerWith("qwen3moe.rope.scaling.type", std::string("yarn")).attention().rope;
  EXPECT_EQ(yarn.scaling, RopeScaling::kYarn);
  EXPECT_EQ(yarn.original_context_length, 256U) << "the context, when the file says nothing";
}

TEST(ModelConfig, CountsMayStandOnceForEachLayer) {
  EXPECT_EQ(
      LayerWith("qwen3moe.attention.head_count", GgufArray::OfInt32({4, 4})).attention().head_count,
      4U);
  EXPECT_EQ(LayerWith("qwen3moe.attention.head_count_kv", GgufArray::OfInt32({1, 1}))
                .attention()
                .kv_head_count,
            1U);
  EXPECT_EQ(ReadModelConfig(
                MetadataWith("qwen3moe.expert_feed_forward_length", GgufArray::OfInt32({96, 96})))
                ->expert_width,
            96U);
}

TEST(ModelConfig, LeadingLayersMayBeDense) {
  const auto config =
      ReadModelConfig(MetadataWith("qwen3moe.leading_dense_block_count", std::uint32_t{1}));
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_FALSE(config->layers[0].experts);
  EXPECT_EQ(config->layers[0].dense_width, 64U);
  ASSERT_TRUE(config->layers[1].experts);
  EXPECT_EQ(config->layers[1].experts->index, ExpertLayerIndex{0});
  EXPECT_THAT(config->expert_layers(), testing::ElementsAre(LayerIndex{1}));
}

}  // namespace
}  // namespace edgemoe
