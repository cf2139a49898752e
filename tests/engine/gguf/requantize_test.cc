// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/requantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

struct Described {
  const char* name;
  TensorType type;
  std::vector<std::uint64_t> dims;
};

GgufFile Describe(const GgufHeader& header) {
  return *ParseGguf(std::as_bytes(std::span<const char>(header.bytes)), header.file_bytes);
}

GgufFile Model(const std::vector<Described>& tensors, std::uint32_t split_count = 0) {
  GgufWriter writer;
  EXPECT_TRUE(writer.Set("general.architecture", std::string("qwen3moe")).ok());
  EXPECT_TRUE(writer.Set("general.file_type", 1u).ok());
  if (split_count > 0) {
    EXPECT_TRUE(writer.Set("split.count", split_count).ok());
  }
  for (const Described& tensor : tensors)
    EXPECT_TRUE(writer.AddTensor(tensor.name, tensor.type, tensor.dims).ok());
  return Describe(writer.Build());
}

TEST(RequantizeTest, MatricesChangeRoutersAndNormsStay) {
  const GgufFile source = Model({{"token_embd.weight", TensorType::kF16, {256, 8}},
                                 {"blk.0.attn_norm.weight", TensorType::kF32, {256}},
                                 {"blk.0.attn_q.weight", TensorType::kF16, {256, 4}},
                                 {"blk.0.attn_q.bias", TensorType::kF32, {256}},
                                 {"blk.0.ffn_gate_inp.weight", TensorType::kF32, {256, 4}},
                                 {"blk.0.ffn_up_exps.weight", TensorType::kBF16, {256, 4, 4}},
                                 {"narrow.weight", TensorType::kF16, {96, 2}},
                                 {"odd.weight", TensorType::kF32, {20, 2}}});
  const Result<RequantizePlan> plan = PlanRequantize(source, TensorType::kQ4_K);
  ASSERT_TRUE(plan.has_value()) << plan.error().message();
  const GgufFile target = Describe(plan->header);
  const auto type = [&target](const char* name) { return target.FindTensor(name)->type; };
  EXPECT_EQ(type("token_embd.weight"), TensorType::kQ4_K);
  EXPECT_EQ(type("blk.0.attn_norm.weight"), TensorType::kF32);
  EXPECT_EQ(type("blk.0.attn_q.weight"), TensorType::kQ4_K);
  EXPECT_EQ(type("blk.0.attn_q.bias"), TensorType::kF32);
  EXPECT_EQ(type("blk.0.ffn_gate_inp.weight"), TensorType::kF32);
  EXPECT_EQ(type("blk.0.ffn_up_exps.weight"), TensorType::kQ4_K);
  EXPECT_EQ(type("narrow.weight"), TensorType::kQ8_0);
  EXPECT_EQ(type("odd.weight"), TensorType::kF16);
  EXPECT_EQ(target.GetString("general.architecture"), "qwen3moe");
  EXPECT_EQ(target.GetU32("general.file_type"), 14u);
  EXPECT_EQ(target.GetU32("general.quantization_version"), 2u);
  ASSERT_EQ(plan->sources.size(), source.tensors().size());
  for (std::size_t i = 0; i < plan->sources.size(); ++i) {
    EXPECT_EQ(plan->sources[i].name, plan->header.tensors[i].name);
    EXPECT_EQ(plan->sources[i].offset, source.tensors()[i].offset);
  }
}

TEST(RequantizeTest, RefusesWhatItCannotDo) {
  const GgufFile model = Model({{"a.weight", TensorType::kF16, {256, 2}}});
  const auto integers = PlanRequantize(model, TensorType::kI32);
  ASSERT_FALSE(integers.has_value());
  EXPECT_EQ(integers.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(integers.error().message(), HasSubstr("type I32: expected F32, F16"));

  const auto read_only = PlanRequantize(model, TensorType::kIQ2_XS);
  ASSERT_FALSE(read_only.has_value());
  EXPECT_THAT(read_only.error().message(),
              HasSubstr("type IQ2_XS is read but not written here: expected F32, F16"));
  EXPECT_THAT(read_only.error().message(), HasSubstr("IQ4_XS"));

  const GgufFile foreign = Model({{"a.weight", TensorType::kQ8_1, {256, 2}}});
  const auto unreadable = PlanRequantize(foreign, TensorType::kQ8_0);
  ASSERT_FALSE(unreadable.has_value());
  EXPECT_EQ(unreadable.error().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(unreadable.error().message(), HasSubstr("\"a.weight\": type Q8_1"));

  const GgufFile part = Model({{"a.weight", TensorType::kF16, {256, 2}}}, 2);
  EXPECT_THAT(PlanRequantize(part, TensorType::kQ8_0).error().message(), HasSubstr("split.count"));
}

TEST(RequantizeTest, RowsGoThroughTheReferenceConversions) {
  constexpr std::uint64_t kColumns = 64, kRows = 3;
  std::vector<float> x(kColumns * kRows);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) - 8.25f;
  std::vector<std::byte> halves(x.size() * 2), found(kRows * 68), expected(kRows * 68);
  QuantizeRow(TensorType::kF16, x.data(), x.size(), halves.data());
  QuantizeRow(TensorType::kQ8_0, x.data(), x.size(), expected.data());  // exact in halves
  std::vector<float> scratch(kColumns);
  RequantizeRows(TensorType::kF16, TensorType::kQ8_0, kColumns, kRows, halves.data(),
                 scratch.data(), found.data());
  EXPECT_EQ(found, expected);
  std::vector<std::byte> copy(halves.size());
  RequantizeRows(TensorType::kF16, TensorType::kF16, kColumns, kRows, halves.data(), scratch.data(),
                 copy.data());
  EXPECT_EQ(copy, halves);
}

}  // namespace
}  // namespace edgemoe
