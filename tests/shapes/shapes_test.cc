// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "engine/engine.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/model/arch/architecture.h"
#include "engine/plan.h"
#include "engine/quant/quantize.h"
#include "tests/engine/serving/listener.h"
#include "tests/shapes/shape_model.h"
#include "tests/support/child_process.h"
#include "tests/support/models/random_model_file.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

std::vector<std::byte> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// Of the same parts, but narrow and short, with experts that rows of blocks fit in.
RealShape Small(RealShape shape) {
  ModelConfig& config = shape.config;
  config.layers.resize(LeastLayers(shape) + 1);
  config.width = 1024;  // four segments of an embedding: no two are the same
  config.vocabulary_size = 1500;
  config.expert_count = 12;
  config.expert_width = 256;
  for (LayerConfig& layer : config.layers) {
    if (layer.dense_width > 0) layer.dense_width = 256;
    // Where these follow from the width.
    if (config.logit_softcap > 0) layer.experts->logit_scale = 1 / 32.0F;
  }
  if (config.logit_softcap > 0) config.embedding_scale = 32;
  return shape;
}

RandomModelOptions SmallModel(const RealShape& small, const ShapeFileOptions& options = {}) {
  RandomModelOptions model = ShapeModel(small, options);
  model.distinct_blocks = 50;
  return model;
}

class ShapesTest : public testing::TestWithParam<std::string> {
 protected:
  static const RealShape& shape() { return *FindRealShape(GetParam()); }

  TempFolder folder_;
  std::string path_ = folder_ / "model.gguf";
};

TEST_P(ShapesTest, TheFileIsWhatIsMadeInMemory) {
  const RealShape small = Small(shape());
  const RandomModelOptions model = SmallModel(small);
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  ASSERT_EQ(WriteRandomModel(path_, model), OkStatus());
  EXPECT_TRUE(ReadFile(path_) == bytes);
  EXPECT_EQ(bytes.size(), RandomModelHeader(model).file_bytes);
  EXPECT_FALSE(RandomModelBytes(SmallModel(small, {.seed = 2})) == bytes);
}

TEST_P(ShapesTest, TheGreedyAnswerWalks) {
  const RealShape small = Small(shape());
  ASSERT_EQ(WriteRandomModel(path_, SmallModel(small)), OkStatus());
  EngineOptions options;
  options.model_path = path_;
  options.threads = 1;
  options.context_tokens = 128;
  const auto engine = Engine::Open(options);
  ASSERT_TRUE(engine) << engine.error().ToString();
  const Answer answer = Submit(**engine, Greedy("Once upon a time", 60))->Wait();
  ASSERT_TRUE(answer.status().ok()) << answer.status().ToString();
  ASSERT_EQ(answer.tokens.size(), 60u);
  const TokenWalk walk = WalkOf(small, {});
  TokenId token{'e'};
  for (const TokenId next : answer.tokens) {
    EXPECT_EQ(next, walk.SuccessorOf(token));
    token = next;
  }
}

TEST_P(ShapesTest, AHeaderIsEnoughForAPlan) {
  ASSERT_EQ(WriteRandomModelHeader(path_, ShapeModel(shape(), {})), OkStatus());
  struct stat found = {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_GT(found.st_size, 3'000'000'000);
  EXPECT_LT(found.st_blocks * 512, 64'000'000);
  EngineOptions options;
  options.model_path = path_;
  const auto plan = PlanMemory(options);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_EQ(plan->model_file_bytes, static_cast<std::uint64_t>(found.st_size));
  // Nothing is left out or counted twice.
  EXPECT_LT(plan->dense_bytes + plan->expert_total_bytes, 1.01 * double(found.st_size));
  EXPECT_GT(plan->dense_bytes + plan->expert_total_bytes, 0.9 * double(found.st_size));
}

TEST_P(ShapesTest, TheHeaderSaysTheShape) {
  const GgufHeader header = RandomModelHeader(ShapeModel(shape(), {}));
  const auto file = ParseGguf(std::as_bytes(std::span(header.bytes)), header.file_bytes);
  ASSERT_TRUE(file) << file.error().ToString();
  const auto config = ReadModelConfig(*file);
  ASSERT_TRUE(config) << config.error().ToString();
  EXPECT_EQ(config->layer_count(), shape().config.layer_count());
  EXPECT_EQ(config->vocabulary_size, shape().config.vocabulary_size);
  EXPECT_EQ(config->expert_layer_count(), shape().config.expert_layer_count());
  for (std::uint32_t i = 0; i < config->layer_count(); ++i) {
    const LayerConfig& layer = config->layers[i];
    EXPECT_EQ(layer.mixer.index(), shape().config.layers[i].mixer.index()) << i;
    EXPECT_EQ(layer.dense_width, shape().config.layers[i].dense_width) << i;
  }
}

// A sanitizer, under which hundreds of thousands of tokens' names take minutes, sees a few.
std::vector<std::string> Names() {
  std::vector<std::string> names;
  const std::size_t step = kSanitized ? 4 : 1;
  for (std::size_t i = 0; i < RealShapes().size(); i += step) names.push_back(RealShapes()[i].name);
  return names;
}

std::string TestName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == '-' || c == '.') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ShapesTest, testing::ValuesIn(Names()), TestName);

// As published files of the same recipe are large, within what their makers choose differently;
// Qwen3.5 has a block for predicting several tokens there.
TEST(ShapeSizesTest, AreThoseOfPublishedFiles) {
  const std::map<std::string, double> published_gb = {
      {"olmoe-1b-7b", 4.2},       {"granite-4.0-h-tiny", 4.2}, {"gpt-oss-20b", 12},
      {"qwen3moe-30b-a3b", 18.6}, {"glm-4.7-flash", 18.4},     {"deepseek-v2-lite", 10.4},
      {"gemma4-26b-a4b", 17},     {"qwen35moe-35b-a3b", 22.3}};
  for (const auto& [name, gb] : published_gb) {
    if (kSanitized && name != "gemma4-26b-a4b") continue;
    const RealShape& shape = *FindRealShape(name);
    const ShapeFileOptions options = {.tied = shape.tied_output};
    const auto bytes =
        static_cast<double>(RandomModelHeader(ShapeModel(shape, options)).file_bytes);
    EXPECT_NEAR(bytes / 1e9, gb, 0.06 * gb) << name;
  }
}

TEST(RandomModelFileTest, BlocksTakenFromAPoolAreOfTheSpread) {
  RandomModelOptions model = SmallModel(Small(*FindRealShape("qwen3moe-30b-a3b")));
  model.spread = [](TensorRole, std::uint64_t) { return WeightSpread{0, 0.5}; };
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  const GgufHeader header = RandomModelHeader(model);
  for (const GgufTensor& tensor : header.tensors) {
    if (!tensor.name.ends_with("exps.weight")) continue;
    std::vector<float> weights(tensor.rows() * tensor.columns());
    DequantizeRow(tensor.type, &bytes[tensor.offset], weights.size(), weights.data());
    double squares = 0;
    for (const float weight : weights) squares += double{weight} * double{weight};
    EXPECT_NEAR(squares / static_cast<double>(weights.size()), 0.25 / 3, 0.002) << tensor.name;
  }
}

TEST(RandomModelFileTest, WhatCannotBeWrittenIsNamed) {
  const RandomModelOptions model = SmallModel(Small(*FindRealShape("olmoe-1b-7b")));
  for (const auto write : {WriteRandomModel, WriteRandomModelHeader}) {
    const Status status = write("/proc/nowhere/model.gguf", model);
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_THAT(status.ToString(), HasSubstr("/proc/nowhere/model.gguf"));
  }
}

class TokenWalkTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kTokens = 5000;
  static constexpr std::uint32_t kWidth = 640;  // segments, the last not whole

  static std::vector<float> Row(WalkRows::Of of, TokenId token) {
    WalkRows rows(Walk(), kWidth, TensorType::kF32, of);
    std::vector<float> weights(kWidth);
    rows.Make(token, std::as_writable_bytes(std::span(weights)));
    return weights;
  }
  static double Cosine(TokenId a, TokenId b) {
    const std::vector<float> x = Row(WalkRows::Of::kEmbedding, a);
    const std::vector<float> y = Row(WalkRows::Of::kEmbedding, b);
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (std::size_t i = 0; i < kWidth; ++i) {
      xy += double{x[i]} * double{y[i]};
      xx += double{x[i]} * double{x[i]};
      yy += double{y[i]} * double{y[i]};
    }
    return xy / std::sqrt(xx * yy);
  }
  static const TokenWalk& Walk() {
    static const TokenWalk kWalk(
        {.vocabulary_size = kTokens, .width = kWidth, .outside = {TokenId{7}}, .topic_share = 0.5});
    return kWalk;
  }
};

TEST_F(TokenWalkTest, IsOneCycleOfAllTokensButThoseOutside) {
  std::vector<bool> seen(kTokens);
  TokenId token{0};
  for (std::uint32_t i = 0; i + 1 < kTokens; ++i) {
    EXPECT_FALSE(seen[static_cast<std::size_t>(token.value)]);
    seen[static_cast<std::size_t>(token.value)] = true;
    token = Walk().SuccessorOf(token);
  }
  EXPECT_EQ(token, TokenId{0});
  EXPECT_FALSE(seen[7]);
}

TEST_F(TokenWalkTest, TheOutputOfATokenIsTheEmbeddingOfTheOneBefore) {
  const TokenId next = Walk().SuccessorOf(TokenId{100});
  EXPECT_EQ(Row(WalkRows::Of::kOutput, next), Row(WalkRows::Of::kEmbedding, TokenId{100}));
  for (const float weight : Row(WalkRows::Of::kOutput, TokenId{7}))
    EXPECT_LT(std::abs(weight), 0.02);
}

TEST_F(TokenWalkTest, StaysWithATopicAndGoesToAnother) {
  double near = 0;
  double far = 0;
  TokenId token{0};
  for (std::uint32_t i = 0; i < kTokens - 1; ++i) {
    TokenId later = token;
    for (std::uint32_t step = 0; step < 2 * kTopicStay; ++step) later = Walk().SuccessorOf(later);
    const TokenId next = Walk().SuccessorOf(token);
    near += Cosine(token, next);
    far += Cosine(token, later);
    token = next;
  }
  const double steps = kTokens - 1;
  // Half of the variance is shared, in all steps but each 24th.
  EXPECT_NEAR(near / steps, 0.5 * 23 / 24, 0.02);
  EXPECT_NEAR(far / steps, 0.5 / kTopicCount, 0.03);
}

}  // namespace
}  // namespace edgemoe
