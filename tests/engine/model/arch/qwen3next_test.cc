// SPDX-License-Identifier: Apache-2.0
//
// What files of Qwen3-Next and Qwen3.5 say, and what is refused of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/arch/architecture.h"
#include "tests/golden/fixtures.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

RandomModelOptions FixtureWith(const std::string& fixture, const std::string& key,
                               const std::optional<GgufValue>& value) {
  RandomModelOptions model = FindFixture(fixture)->model;
  model.changed_keys[key] = value;
  return model;
}

Result<ModelConfig> Read(const RandomModelOptions& model) {
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  const auto file = ParseGguf(bytes, bytes.size());
  EXPECT_TRUE(file);
  return ReadModelConfig(*file);
}

GgufArray Flags(const std::string& bytes) {
  GgufArray array(GgufValueType::kBool);
  array.AppendPacked(bytes);
  return array;
}

struct BadKey {
  std::string key;
  std::optional<GgufValue> value;
  StatusCode code;
  std::string message;  // a part of it
};

class Qwen35KeyErrors : public testing::TestWithParam<BadKey> {};

TEST_P(Qwen35KeyErrors, NameKeyAndValue) {
  const BadKey& bad = GetParam();
  const std::string key = "qwen35moe." + bad.key;
  const auto config = Read(FixtureWith("qwen35moe", key, bad.value));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), bad.code) << config.error().ToString();
  EXPECT_THAT(config.error().message(), HasSubstr(key));
  EXPECT_THAT(config.error().message(), HasSubstr(bad.message));
}

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;
constexpr StatusCode kUnimplemented = StatusCode::kUnimplemented;
constexpr StatusCode kNotFound = StatusCode::kNotFound;

INSTANTIATE_TEST_SUITE_P(
    All, Qwen35KeyErrors,
    testing::Values(
        BadKey{"ssm.state_size", {}, kNotFound, ""},
        BadKey{"ssm.state_size", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"ssm.state_size", UINT32_MAX, kInvalid, "[1, 1024]"},
        BadKey{"ssm.group_count", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"ssm.group_count", std::uint32_t{4096}, kInvalid, "[1, 1024]"},
        BadKey{"ssm.time_step_rank", std::uint32_t{7}, kInvalid, "multiples"},
        BadKey{"ssm.time_step_rank", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"ssm.inner_size", std::uint32_t{96}, kInvalid, "found 96; accepted: 192"},
        BadKey{"ssm.conv_kernel", std::uint32_t{1}, kInvalid, "[2, 64]"},
        BadKey{"ssm.conv_kernel", std::uint32_t{65}, kInvalid, "found 65"},
        BadKey{"ssm.dt_b_c_rms", true, kUnimplemented, "not known"},
        BadKey{"full_attention_interval", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"attention.recurrent_layers", Flags(std::string("\1\1", 2)), kInvalid,
               "found an array of 2; accepted: 4 bools"},
        BadKey{"attention.recurrent_layers", GgufArray::OfInt32({1, 0, 1, 0}), kInvalid, "bools"},
        BadKey{"nextn_predict_layers", std::uint32_t{4}, kInvalid, "[0, 3]"},
        BadKey{"expert_shared_feed_forward_length", std::uint32_t{0}, kInvalid, "found 0"},
        BadKey{"rope.dimension_sections", {}, kNotFound, ""},
        BadKey{"rope.dimension_sections", std::uint32_t{8}, kInvalid, ""},
        BadKey{"rope.dimension_sections", GgufArray::OfInt32({3, 3}), kInvalid, "found [3, 3]"},
        BadKey{"rope.dimension_sections", GgufArray::OfInt32({0, 0, 0, 0}), kInvalid, "8 pairs"},
        BadKey{"rope.dimension_sections", GgufArray::OfInt32({3, 3, -1, 3}), kInvalid, "-1"},
        // Height has no room for the last pair, which would not be turned.
        BadKey{"rope.dimension_sections", GgufArray::OfInt32({3, 2, 2, 1}), kInvalid,
               "found [3, 2, 2, 1]"}));

std::vector<bool> AttentionLayers(const ModelConfig& config) {
  std::vector<bool> layers;
  for (const LayerConfig& layer : config.layers)
    layers.push_back(layer.mixer_as<AttentionConfig>() != nullptr);
  return layers;
}

TEST(Qwen35Keys, SayWhichLayersAreAttention) {
  using Layers = std::vector<bool>;
  const auto layers_with = [](const std::string& key, const std::optional<GgufValue>& value) {
    const auto config = Read(FixtureWith("qwen35moe", "qwen35moe." + key, value));
    EXPECT_TRUE(config) << config.error().ToString();
    return AttentionLayers(*config);
  };
  EXPECT_EQ(layers_with("full_attention_interval", {}), Layers({false, false, false}))
      << "each fourth";
  EXPECT_EQ(layers_with("full_attention_interval", std::uint32_t{2}), Layers({false, true, false}));
  EXPECT_EQ(layers_with("full_attention_interval", std::uint32_t{3}), Layers({false, false, true}));
  EXPECT_EQ(layers_with("attention.recurrent_layers", Flags(std::string("\0\1\0\0", 4))),
            Layers({true, false, true}))
      << "said for each layer, it counts";
}

TEST(Qwen35Keys, BlocksForPredictionAreNoLayers) {
  const auto config = Read(FindFixture("qwen35moe")->model);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->layer_count(), 3U);
  EXPECT_EQ(config->prediction_layer_count, 1U);
  EXPECT_EQ(config->expert_layer_count(), 3U);
}

}  // namespace
}  // namespace edgemoe
