// SPDX-License-Identifier: Apache-2.0
#include "engine/model/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "engine/model/arch/architecture.h"
#include "engine/quant/quantize.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// Plans the tiny model after `change` has been at its tensors.
Result<WeightsLayout> PlanChanged(const std::function<void(std::vector<TinyTensor>&)>& change) {
  std::vector<TinyTensor> tensors = TinyModelTensors({});
  change(tensors);
  GgufWriter writer;
  EXPECT_TRUE(SetTinyModelMetadata({}, &writer).ok());
  for (const TinyTensor& tensor : tensors) {
    EXPECT_TRUE(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok()) << tensor.name;
  }
  const GgufHeader header = writer.Build();
  std::vector<GgufFile> files;
  files.push_back(*ParseGguf(std::as_bytes(std::span(header.bytes)), header.file_bytes));
  const GgufSet set = *GgufSet::Merge(std::move(files));
  return LayOutWeights(*ReadModelConfig(set.metadata()), set);
}

TinyTensor& Named(std::vector<TinyTensor>& tensors, const std::string& name) {
  return *std::ranges::find(tensors, name, &TinyTensor::name);
}

TEST(LayOutWeights, EveryMissingTensorIsNamed) {
  for (const TinyTensor& tensor : TinyModelTensors({})) {
    const auto layout = PlanChanged([&](std::vector<TinyTensor>& tensors) {
      std::erase_if(tensors, [&](const TinyTensor& t) { return t.name == tensor.name; });
    });
    ASSERT_FALSE(layout) << tensor.name;
    EXPECT_EQ(layout.error().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(layout.error().message(), HasSubstr(tensor.name));
  }
}

TEST(LayOutWeights, EveryWrongShapeIsNamed) {
  for (const TinyTensor& tensor : TinyModelTensors({})) {
    const auto layout = PlanChanged(
        [&](std::vector<TinyTensor>& tensors) { Named(tensors, tensor.name).dims.back() += 32; });
    ASSERT_FALSE(layout) << tensor.name;
    EXPECT_EQ(layout.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(layout.error().message(), HasSubstr(tensor.name));
    EXPECT_THAT(layout.error().message(), HasSubstr("expected ["));
  }
}

TEST(LayOutWeights, TypesThatCannotBeComputedAreRefused) {
  for (const char* name :
       {"blk.1.attn_v.weight", "blk.0.ffn_up_exps.weight", "output_norm.weight"}) {
    const auto layout = PlanChanged(
        [&](std::vector<TinyTensor>& tensors) { Named(tensors, name).type = TensorType::kI8; });
    ASSERT_FALSE(layout) << name;
    EXPECT_EQ(layout.error().code(), StatusCode::kUnimplemented);
    EXPECT_THAT(layout.error().message(), HasSubstr(name));
    EXPECT_THAT(layout.error().message(), HasSubstr("I8"));
    EXPECT_THAT(layout.error().message(), HasSubstr("Q8_0"));
  }
}

TEST(LayOutWeights, TensorsOfAnotherModelAreRefused) {
  const auto layout = PlanChanged([](std::vector<TinyTensor>& tensors) {
    tensors.push_back({"blk.0.attn_q.bias", TensorRole::kQueryBias, TensorType::kF32, {64}});
  });
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(layout.error().message(), HasSubstr("blk.0.attn_q.bias"));
}

TEST(LayOutWeights, ExpertsAreSlicesOfTheirStack) {
  const std::vector<std::byte> file = TinyModelBytes({.down_type = TensorType::kQ4_0});
  const auto model = LoadedModel::Load(file, {});
  ASSERT_TRUE(model) << model.error().ToString();
  const ExpertLayout& experts = (*model)->layout().experts;
  EXPECT_EQ(experts.layer_count, 2U);
  EXPECT_EQ(experts.experts_per_layer, 8U);
  const GgufTensor& down = *(*model)->files().FindTensor("blk.1.ffn_down_exps.weight");
  for (std::uint32_t e = 0; e < 8; ++e) {
    const ExpertExtent& extent = experts.of({ExpertLayerIndex{1}, ExpertIndex{e}})[2];
    EXPECT_EQ(extent.type, TensorType::kQ4_0);
    EXPECT_EQ(extent.bytes, 64U * 64 / 32 * 18);
    EXPECT_EQ(extent.offset, down.offset + e * extent.bytes);
  }
}

TEST(LoadWeights, CopiesMatricesAndWidensNorms) {
  std::vector<TinyTensor> tensors = TinyModelTensors({.tied_output = false});
  Named(tensors, "blk.0.attn_norm.weight").type = TensorType::kF16;
  GgufWriter writer;
  ASSERT_TRUE(SetTinyModelMetadata({}, &writer).ok());
  for (const TinyTensor& t : tensors) ASSERT_TRUE(writer.AddTensor(t.name, t.type, t.dims).ok());
  const GgufHeader header = writer.Build();
  std::vector<std::byte> file(header.file_bytes);
  std::memcpy(file.data(), header.bytes.data(), header.bytes.size());
  std::vector<GgufFile> parts;
  parts.push_back(*ParseGguf(file, file.size()));
  const GgufSet set = *GgufSet::Merge(std::move(parts));
  std::vector<float> norm(64);
  for (std::size_t i = 0; i < norm.size(); ++i) norm[i] = static_cast<float>(i);
  QuantizeRow(TensorType::kF16, norm.data(), norm.size(),
              &file[set.FindTensor("blk.0.attn_norm.weight")->offset]);
  const GgufTensor& output = *set.FindTensor("output.weight");
  file[output.offset + output.bytes - 1] = std::byte{42};

  const ModelConfig config = *ReadModelConfig(set.metadata());
  const WeightsLayout layout = *LayOutWeights(config, set);
  std::uint64_t read_bytes = 0;
  std::uint64_t progress_bytes = 0;
  const auto weights = LoadWeights(
      config, layout,
      [&](std::uint32_t, std::uint64_t offset, std::byte* out, std::uint64_t bytes) {
        std::memcpy(out, file.data() + offset, bytes);
        read_bytes += bytes;
        return OkStatus();
      },
      [&](std::uint64_t bytes) { progress_bytes = bytes; });
  ASSERT_TRUE(weights) << weights.error().ToString();
  EXPECT_EQ(progress_bytes, read_bytes);
  for (std::size_t i = 0; i < norm.size(); ++i) {
    EXPECT_EQ(weights->layers[0].floats(TensorRole::kAttentionNorm)[i], norm[i]);
  }
  EXPECT_EQ(weights->output.rows, kTinyVocabularySize);
  EXPECT_NE(weights->output.bytes, weights->embedding.bytes);
  EXPECT_EQ(weights->output.bytes[output.bytes - 1], std::byte{42});
  EXPECT_LE(layout.dense_bytes, weights->memory.bytes());
}

TEST(LoadWeights, TiedOutputIsTheEmbedding) {
  const std::vector<std::byte> file = TinyModelBytes({});
  const auto model = LoadedModel::Load(file, {});
  ASSERT_TRUE(model);
  EXPECT_TRUE((*model)->layout().tied_output);
  EXPECT_EQ((*model)->weights().output.bytes, (*model)->weights().embedding.bytes);
}

TEST(LoadWeights, GivesTheReadersError) {
  const std::vector<std::byte> file = TinyModelBytes({});
  const auto model = LoadedModel::Load(file, {});
  ASSERT_TRUE(model);
  int reads = 0;
  const auto weights = LoadWeights((*model)->config(), (*model)->layout(),
                                   [&](std::uint32_t, std::uint64_t, std::byte*, std::uint64_t) {
                                     return ++reads == 5 ? DataLossError("gone") : OkStatus();
                                   },
                                   {});
  ASSERT_FALSE(weights);
  EXPECT_EQ(weights.error(), DataLossError("gone"));
}

}  // namespace
}  // namespace edgemoe
