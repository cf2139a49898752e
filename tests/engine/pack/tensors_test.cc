// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/base/random.h"
#include "engine/pack/pack_tensors.h"
#include "engine/pack/row_converter.h"
#include "engine/pack/type_summary.h"
#include "engine/quant/quantize.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;

class PackTensorsTest : public testing::Test {
 protected:
  std::vector<PackTensor> List() {
    const std::string path = folder_ / "tiny.gguf";
    EXPECT_TRUE(WriteTinyModel(path, model_).ok());
    source_.emplace(*PackSource::Open(path));
    return *ListPackTensors(*source_);
  }
  static const PackTensor* Find(const std::vector<PackTensor>& tensors, std::string_view name) {
    for (const PackTensor& tensor : tensors)
      if (tensor.name == name) return &tensor;
    ADD_FAILURE() << name;
    return nullptr;
  }

  TempFolder folder_;
  TinyModelOptions model_;
  std::optional<PackSource> source_;
};

TEST_F(PackTensorsTest, HaveTheirRolesAndPlaces) {
  model_.tied_output = false;
  model_.down_type = TensorType::kQ4_0;
  const std::vector<PackTensor> tensors = List();
  const auto expect = [&](std::string_view name, TensorRole role, std::uint32_t layer) {
    EXPECT_EQ(Find(tensors, name)->role, role) << name;
    EXPECT_EQ(Find(tensors, name)->layer.value, layer) << name;
  };
  expect("token_embd.weight", TensorRole::kEmbedding, 0);
  expect("output.weight", TensorRole::kOutput, 0);
  expect("output_norm.weight", TensorRole::kOutputNorm, 0);
  expect("blk.1.attn_q.weight", TensorRole::kQuery, 1);
  expect("blk.1.attn_k.weight", TensorRole::kKey, 1);
  expect("blk.0.attn_v.weight", TensorRole::kValue, 0);
  expect("blk.1.attn_output.weight", TensorRole::kAttentionOutput, 1);
  expect("blk.1.attn_norm.weight", TensorRole::kAttentionNorm, 1);
  expect("blk.0.ffn_gate_inp.weight", TensorRole::kRouter, 0);
  std::uint64_t bytes = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> places;
  for (const PackTensor& tensor : tensors) {
    EXPECT_EQ(tensor.BytesIn(tensor.source_type), tensor.source_bytes) << tensor.name;
    places.emplace(tensor.source_offset, tensor.source_offset + tensor.source_bytes);
    bytes += tensor.source_bytes;
    const bool known = IsRequantisable(tensor.role);
    EXPECT_EQ(tensor.Takes(TensorType::kQ8_0), known) << tensor.name;
    EXPECT_FALSE(tensor.Takes(TensorType::kQ4_K)) << "64 columns";
    EXPECT_FALSE(tensor.Takes(TensorType::kQ8_K)) << "no type of files";
  }
  ASSERT_EQ(places.size(), tensors.size());
  std::uint64_t end = 0;
  for (const auto& [from, to] : places) {
    EXPECT_GE(from, end) << "none overlaps";
    end = to;
  }
  std::uint64_t expected = 0;
  for (const GgufTensor& tensor : source_->headers().tensors()) expected += tensor.bytes;
  EXPECT_EQ(bytes, expected) << "nothing is left out";
}

TEST_F(PackTensorsTest, TakeOnlyTypesThatCanBeWritten) {
  model_.width = model_.expert_width = 256;
  model_.down_type = TensorType::kIQ3_S;
  for (const PackTensor& tensor : List()) {
    const bool matrix = IsRequantisable(tensor.role) && tensor.columns() == 256;
    EXPECT_EQ(tensor.Takes(TensorType::kIQ4_XS), matrix) << tensor.name;
    EXPECT_EQ(tensor.Takes(TensorType::kQ4_K), matrix) << tensor.name;
    EXPECT_FALSE(tensor.Takes(TensorType::kIQ3_S)) << tensor.name;
    if (tensor.role != TensorRole::kDown) continue;
    EXPECT_EQ(tensor.BytesIn(tensor.source_type), 110u * 256) << tensor.name;
  }
}

TEST_F(PackTensorsTest, ExpertsFollowByLayerAndIndex) {
  model_.down_type = TensorType::kQ4_0;
  model_.expert_width = 96;
  const std::vector<PackTensor> tensors = List();
  const std::size_t experts = model_.layer_count * model_.expert_count;
  const std::size_t dense = tensors.size() - 3 * experts;
  for (std::size_t i = 0; i < tensors.size(); ++i) EXPECT_EQ(tensors[i].of_expert(), i >= dense);
  constexpr TensorRole kRoles[] = {TensorRole::kGate, TensorRole::kUp, TensorRole::kDown};
  for (std::size_t i = 0; i < 3 * experts; ++i) {
    const PackTensor& tensor = tensors[dense + i];
    const bool down = i % 3 == 2;
    EXPECT_EQ(tensor.role, kRoles[i % 3]);
    EXPECT_EQ(tensor.layer.value, i / 3 / model_.expert_count);
    EXPECT_EQ(tensor.key.expert.value, i / 3 % model_.expert_count);
    EXPECT_EQ(tensor.columns(), down ? 96U : 64U);
    EXPECT_EQ(tensor.rows(), down ? 64U : 96U);
    EXPECT_EQ(tensor.source_type, down ? TensorType::kQ4_0 : TensorType::kQ8_0);
  }
}

TEST_F(PackTensorsTest, ATiedOutputIsNoTensorOfItsOwn) {
  const std::vector<PackTensor> tied = List();
  model_.tied_output = false;
  const std::vector<PackTensor> own = List();
  EXPECT_EQ(own.size(), tied.size() + 1);
  for (const PackTensor& tensor : tied) EXPECT_NE(tensor.role, TensorRole::kOutput);
}

TEST_F(PackTensorsTest, AreSummedUpByLayerAndRole) {
  const std::vector<PackTensor> tensors = List();
  std::vector<TensorType> types;
  std::uint64_t bytes = 0;
  for (const PackTensor& tensor : tensors) {
    const bool coarse = tensor.role == TensorRole::kUp && tensor.key.expert.value < 3;
    types.push_back(coarse ? TensorType::kQ4_0 : tensor.source_type);
    if (IsRequantisable(tensor.role)) bytes += tensor.BytesIn(types.back());
  }
  const std::vector<TypeSummary> rows = SummarizeTypes(tensors, types);
  std::vector<std::string> names;
  for (const TypeSummary& row : rows) {
    names.push_back((row.layer ? std::to_string(*row.layer) + " " : std::string()) + row.role);
    bytes -= row.bytes;
    if (row.role != "up") {
      EXPECT_EQ(row.types.size(), 1U);
      EXPECT_EQ(row.bits, 8.5);
      continue;
    }
    ASSERT_EQ(row.types.size(), 2U);
    EXPECT_EQ(row.types[0].type, "Q4_0");
    EXPECT_EQ(row.types[0].tensors, 3U);
    EXPECT_EQ(row.types[1].type, "Q8_0");
    EXPECT_EQ(row.types[1].tensors, 5U);
    EXPECT_EQ(row.bits, (3 * 4.5 + 5 * 8.5) / 8);
  }
  EXPECT_EQ(bytes, 0U);
  EXPECT_THAT(names, ElementsAre("0 query", "0 key", "0 value", "0 attention_output", "0 gate",
                                 "0 up", "0 down", "1 query", "1 key", "1 value",
                                 "1 attention_output", "1 gate", "1 up", "1 down", "embedding"));
}

TEST(RowConverter, GivesTheBytesOfEachRowAlone) {
  constexpr std::size_t kColumns = 256;
  constexpr std::size_t kRows = 21;  // no whole number of what a thread takes at once
  Random random(3);
  std::vector<float> weights(kColumns);
  std::vector<float> x(kColumns * kRows);
  for (float& weight : weights) weight = static_cast<float>(random.NextUnit());
  for (float& value : x) value = static_cast<float>(random.NextUnit() - 0.5);
  const auto from = reinterpret_cast<const std::byte*>(x.data());
  for (const TensorType to : {TensorType::kQ4_0, TensorType::kQ3_K, TensorType::kQ8_0}) {
    for (const bool weighted : {false, true}) {
      const auto row_bytes = static_cast<std::size_t>(*RowBytes(to, kColumns));
      std::vector<std::byte> expected(kRows * row_bytes);
      for (std::size_t row = 0; row < kRows; ++row)
        QuantizeRow(to, x.data() + row * kColumns, kColumns, weighted ? weights.data() : nullptr,
                    expected.data() + row * row_bytes);
      for (const std::size_t threads : {1U, 2U, 3U}) {
        ComputePool pool(threads);
        RowConverter converter(&pool);
        std::vector<std::byte> out(kRows * row_bytes);
        converter.Convert(TensorType::kF32, to, kColumns, kRows, from,
                          weighted ? std::span<const float>(weights) : std::span<const float>(),
                          out.data());
        EXPECT_EQ(out, expected) << TraitsOf(to).name << ", " << threads;
      }
    }
  }
}

}  // namespace
}  // namespace edgemoe
