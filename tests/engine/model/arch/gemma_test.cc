// SPDX-License-Identifier: Apache-2.0
//
// What files of Gemma may say and lack, and what they may not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/model/arch/architecture.h"
#include "tests/golden/fixtures.h"
#include "tests/support/models/loaded_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

using Changes = std::map<std::string, std::optional<GgufValue>>;

// The fixture's name starts with its architecture's.
Result<ModelConfig> Read(const std::string& fixture, const Changes& changes) {
  RandomModelOptions model = FindFixture(fixture)->model;
  for (const auto& [key, value] : changes)
    model.changed_keys[model.config.architecture + "." + key] = value;
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  return ReadModelConfig(*ParseGguf(bytes, bytes.size()));
}

std::vector<bool> Windows(const ModelConfig& config) {
  std::vector<bool> windows;
  for (const LayerConfig& layer : config.layers) windows.push_back(layer.attention().window > 0);
  return windows;
}

TEST(GemmaConfig, WhichLayersSeeAWindowMayBeAPeriod) {
  const auto config =
      Read("gemma4", {{"attention.sliding_window_pattern", GgufValue(std::uint32_t{3})}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(Windows(*config), (std::vector<bool>{true, true, false}));
}

TEST(GemmaConfig, WithoutAWindowGemma3SeesAll) {
  const auto config = Read("gemma3", {{"attention.sliding_window", std::nullopt}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(Windows(*config), std::vector<bool>(7, false));
}

// As converted files are whose model has none.
TEST(GemmaConfig, AWindowOf0IsNone) {
  const auto config =
      Read("gemma3", {{"attention.sliding_window", GgufValue(std::uint32_t{0})},
                      {"attention.sliding_window_pattern", GgufValue(std::uint32_t{6})},
                      {"rope.freq_base_swa", GgufValue(5000.0F)}});
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(Windows(*config), std::vector<bool>(7, false));
}

TEST(GemmaConfig, SuppressedTokensAreTheVocabularys) {
  RandomModelOptions model = FindFixture("gemma4")->model;
  for (const std::int32_t token : {5, 262, 263, -1}) {
    model.changed_keys["tokenizer.ggml.suppress_tokens"] =
        GgufValue(GgufArray::OfInt32({3, token}));
    const std::vector<std::byte> bytes = RandomModelBytes(model);
    const auto config = ReadModelConfig(*ParseGguf(bytes, bytes.size()));
    ASSERT_EQ(config.has_value(), token == 5 || token == 262) << token;
    if (config) {
      EXPECT_EQ(config->suppressed_tokens, (std::vector<TokenId>{TokenId{3}, TokenId{token}}));
    } else {
      EXPECT_THAT(config.error().message(), HasSubstr("tokenizer.ggml.suppress_tokens"));
    }
  }
}

TEST(GemmaConfig, SuppressedTokensAreNeverWritten) {
  RandomModelOptions model = FindFixture("gemma4")->model;
  model.changed_keys["tokenizer.ggml.suppress_tokens"] = GgufValue(GgufArray::OfInt32({3, 200}));
  const std::vector<std::byte> file = RandomModelBytes(model);
  const auto loaded = LoadedModel::Load(file, {});
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  SequenceState sequence((*loaded)->state());
  const std::vector<TokenId> tokens(5, TokenId{7});
  const auto logits = (*loaded)->Run(sequence, 0, tokens);
  ASSERT_TRUE(logits);
  for (std::size_t i = 0; i < logits->size(); ++i) {
    const std::size_t token = i % kTinyVocabularySize;
    EXPECT_EQ(std::isinf((*logits)[i]), token == 3 || token == 200) << i;
  }
}

TEST(GemmaConfig, LogitsOfGemma4AreCappedUnlessTheFileSays0) {
  EXPECT_EQ(Read("gemma4", {{"final_logit_softcapping", std::nullopt}})->logit_softcap, 30);
  EXPECT_EQ(Read("gemma4", {{"final_logit_softcapping", GgufValue(0.0F)}})->logit_softcap, 0);
  EXPECT_EQ(Read("gemma3", {})->logit_softcap, 0);
}

TEST(GemmaConfig, TheLargestGemma3DividesByAnotherSize) {
  RandomModelOptions model = FindFixture("gemma3")->model;
  model.config.layers.resize(62, model.config.layers.front());
  model.config.width = 96;
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  const auto config = ReadModelConfig(*ParseGguf(bytes, bytes.size()));
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_FLOAT_EQ(config->layers[0].attention().score_scale, 1 / std::sqrt(24.0F));
  EXPECT_FLOAT_EQ(config->layers[5].attention().score_scale, 1 / std::sqrt(24.0F));
}

struct BadKey {
  const char* key;
  std::optional<GgufValue> value;
  const char* said;
};

TEST(GemmaConfig, WhatCannotBeRunIsNamed) {
  const BadKey bad_keys[] = {
      // E2B and E4B.
      {"embedding_length_per_layer_input", GgufValue(std::uint32_t{256}), "E4B"},
      {"attention.shared_kv_layers", GgufValue(std::uint32_t{20}), "E4B"},
      {"attention.key_length_swa", GgufValue(std::uint32_t{15}), "even numbers"},
      {"attention.key_length_swa", std::nullopt, "key_length_swa"},
      {"attention.value_length_swa", GgufValue(std::uint32_t{32}), "32"},
      {"rope.dimension_count_swa", GgufValue(std::uint32_t{18}), "[2, 16]"},
      {"rope.dimension_count_swa", std::nullopt, "32"},
      {"attention.sliding_window", GgufValue(std::uint32_t{0}), "0"},
      {"attention.sliding_window_pattern", GgufValue(std::uint32_t{0}), "0"},
      {"attention.head_count_kv", GgufValue(std::uint32_t{3}), "divisors of the head count 4"},
      {"final_logit_softcapping", GgufValue(-1.0F), "-1"},
  };
  for (const BadKey& bad : bad_keys) {
    const auto config = Read("gemma4", {{bad.key, bad.value}});
    ASSERT_FALSE(config) << bad.key;
    EXPECT_THAT(config.error().message(), HasSubstr(std::string("gemma4.") + bad.key));
    EXPECT_THAT(config.error().message(), HasSubstr(bad.said));
  }
}

}  // namespace
}  // namespace edgemoe
