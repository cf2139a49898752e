// SPDX-License-Identifier: Apache-2.0
//
// Where the tensors of single architectures lie, in forms that not every file has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/arch/architecture.h"
#include "engine/model/expert_tensors.h"
#include "engine/model/unused_tensors.h"
#include "engine/model/weights.h"
#include "tests/golden/fixtures.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

GgufSet FileOf(const RandomModelOptions& model) {
  const std::vector<std::byte> bytes = RandomModelBytes(model);
  std::vector<GgufFile> files;
  files.push_back(*ParseGguf(bytes, bytes.size()));
  return *GgufSet::Merge(std::move(files));
}

Result<WeightsLayout> LayOut(const GgufSet& files) {
  const auto config = ReadModelConfig(files.metadata());
  EXPECT_TRUE(config) << config.error().ToString();
  return LayOutWeights(*config, files);
}

Result<WeightsLayout> LayOut(const RandomModelOptions& model) { return LayOut(FileOf(model)); }

TEST(FusedExperts, GateAndUpAreHalvesOfEachSlice) {
  const RandomModelOptions model = FindFixture("gemma4-Q8_0")->model;
  const GgufSet set = FileOf(model);
  const auto layout = LayOut(set);
  ASSERT_TRUE(layout) << layout.error().ToString();
  const GgufTensor& fused = *set.FindTensor(FusedExpertName(1));
  EXPECT_EQ(fused.name, "blk.1.ffn_gate_up_exps.weight");
  for (std::uint32_t e = 0; e < model.config.expert_count; ++e) {
    const ExpertExtents& extents = layout->experts.of({ExpertLayerIndex{1}, ExpertIndex{e}});
    const std::uint64_t half = fused.bytes / model.config.expert_count / 2;
    EXPECT_EQ(extents[0].offset, fused.offset + 2 * e * half);
    EXPECT_EQ(extents[1].offset, fused.offset + (2 * e + 1) * half);
    EXPECT_EQ(extents[0].bytes, half);
    EXPECT_EQ(extents[1].bytes, half);
    EXPECT_EQ(extents[1].type, TensorType::kQ8_0);
  }
}

TEST(FusedExperts, BesideSeparateOnesAreTooMuch) {
  RandomModelOptions model = FindFixture("gemma4")->model;
  model.unused_tensors = {
      {"blk.0.ffn_gate_exps.weight",
       TensorRole::kGate,
       TensorType::kF32,
       {model.config.width, model.config.expert_width, model.config.expert_count}}};
  const auto layout = LayOut(model);
  ASSERT_FALSE(layout);
  EXPECT_THAT(layout.error().message(), HasSubstr("blk.0.ffn_gate_exps.weight"));
}

// ollama keeps encoders of images and audio in the model's file.
TEST(OtherInputs, AreNotLoaded) {
  RandomModelOptions model = FindFixture("gemma4")->model;
  const auto without = LayOut(model);
  ASSERT_TRUE(without) << without.error().ToString();
  EXPECT_THAT(UnusedInputsOf(FileOf(model)), testing::IsEmpty());
  for (const char* name : {"v.blk.0.attn_q.weight", "mm.input_projection.weight",
                           "a.blk.0.attn_q.weight", "v.patch_embd.weight"})
    model.unused_tensors.push_back(
        {.name = name, .role = TensorRole::kQuery, .type = TensorType::kF32, .dims = {64, 2}});
  const auto with = LayOut(model);
  ASSERT_TRUE(with) << with.error().ToString();
  EXPECT_EQ(with->dense_bytes, without->dense_bytes);
  EXPECT_THAT(UnusedInputsOf(FileOf(model)), testing::ElementsAre("images", "audio"));
  model.unused_tensors.push_back({.name = "vision.weight", .dims = {64}});
  EXPECT_THAT(LayOut(model).error().message(), HasSubstr("vision.weight"));
}

TEST(Qwen35Tensors, OfBlocksForPredictionAreNotLoaded) {
  RandomModelOptions model = FindFixture("qwen35moe")->model;
  const auto with = LayOut(model);
  ASSERT_TRUE(with) << with.error().ToString();
  const RandomTensor unknown = {.name = "blk.4.attn_norm.weight", .dims = {64}};
  model.unused_tensors.clear();
  const auto without = LayOut(model);
  ASSERT_TRUE(without) << "packs leave them out";
  EXPECT_EQ(with->dense_bytes, without->dense_bytes);
  EXPECT_EQ(with->experts.extents.size(), without->experts.extents.size());
  model.unused_tensors = {unknown};
  const auto refused = LayOut(model);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("blk.4.attn_norm.weight"));
}

// A delta net's input is one matrix or two.
TEST(Qwen3NextTensors, StandInOneOfTwoForms) {
  RandomModelOptions model = FindFixture("qwen3next")->model;
  EXPECT_TRUE(LayOut(model));
  model.unused_tensors = {{.name = "blk.0.ssm_in.weight", .dims = {64, 64}}};
  const auto shape = LayOut(model);
  ASSERT_FALSE(shape);
  EXPECT_THAT(shape.error().message(), HasSubstr("blk.0.ssm_in.weight: shape is [64, 64]"));
  model.unused_tensors = {{.name = "blk.0.ssm_in.weight", .dims = {64, 512}}};
  const auto both = LayOut(model);
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().message(), HasSubstr("blk.0.attn_qkv.weight"));
}

}  // namespace
}  // namespace edgemoe
