// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/tensor_type.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/quant/block_formats.h"

namespace edgemoe {
namespace {

TEST(TensorTypeTest, BlockSizesAreThoseOfTheLayouts) {
  EXPECT_EQ(TraitsOf(TensorType::kF32).block_bytes, 4u);
  EXPECT_EQ(TraitsOf(TensorType::kF16).block_bytes, 2u);
  EXPECT_EQ(TraitsOf(TensorType::kBF16).block_bytes, 2u);
  EXPECT_EQ(TraitsOf(TensorType::kQ8_0).block_bytes, sizeof(BlockQ8_0));
  EXPECT_EQ(TraitsOf(TensorType::kQ4_0).block_bytes, sizeof(BlockQ4_0));
  EXPECT_EQ(TraitsOf(TensorType::kQ4_K).block_bytes, sizeof(BlockQ4_K));
  EXPECT_EQ(TraitsOf(TensorType::kQ5_K).block_bytes, sizeof(BlockQ5_K));
  EXPECT_EQ(TraitsOf(TensorType::kQ6_K).block_bytes, sizeof(BlockQ6_K));
  EXPECT_EQ(TraitsOf(TensorType::kQ2_K).block_bytes, sizeof(BlockQ2_K));
  EXPECT_EQ(TraitsOf(TensorType::kQ3_K).block_bytes, sizeof(BlockQ3_K));
  EXPECT_EQ(TraitsOf(TensorType::kQ4_1).block_bytes, sizeof(BlockQ4_1));
  EXPECT_EQ(TraitsOf(TensorType::kQ5_0).block_bytes, sizeof(BlockQ5_0));
  EXPECT_EQ(TraitsOf(TensorType::kQ5_1).block_bytes, sizeof(BlockQ5_1));
  EXPECT_EQ(TraitsOf(TensorType::kIQ4_NL).block_bytes, sizeof(BlockIQ4_NL));
  EXPECT_EQ(TraitsOf(TensorType::kMXFP4).block_bytes, sizeof(BlockMXFP4));
  EXPECT_EQ(TraitsOf(TensorType::kIQ4_XS).block_bytes, sizeof(BlockIQ4_XS));
  EXPECT_EQ(TraitsOf(TensorType::kIQ3_S).block_bytes, sizeof(BlockIQ3_S));
  EXPECT_EQ(TraitsOf(TensorType::kIQ3_XXS).block_bytes, sizeof(BlockIQ3_XXS));
  EXPECT_EQ(TraitsOf(TensorType::kIQ2_S).block_bytes, sizeof(BlockIQ2_S));
  EXPECT_EQ(TraitsOf(TensorType::kIQ2_XS).block_bytes, sizeof(BlockIQ2_XS));
  EXPECT_EQ(TraitsOf(TensorType::kIQ2_XXS).block_bytes, sizeof(BlockIQ2_XXS));
  EXPECT_EQ(TraitsOf(TensorType::kQ4_K).block_elements, kSuperBlock);
  EXPECT_EQ(TraitsOf(TensorType::kQ8_0).block_elements, kSmallBlock);
}

TEST(TensorTypeTest, WhatCanBeComputedAndWritten) {
  int computable = 0;
  int encodable = 0;
  for (std::uint32_t number = 0; number < kTensorTypeCount; ++number) {
    const TensorTypeTraits* traits = FindTensorType(number);
    if (traits == nullptr) continue;
    EXPECT_EQ(static_cast<std::uint32_t>(traits->type), number);
    EXPECT_GT(traits->block_elements, 0u);
    EXPECT_EQ(FindTensorType(traits->name), traits);
    computable += traits->computable ? 1 : 0;
    encodable += traits->encodable ? 1 : 0;
    EXPECT_TRUE(traits->computable || !traits->encodable) << traits->name;
  }
  EXPECT_EQ(computable, 21);
  EXPECT_EQ(encodable, 16);
}

TEST(TensorTypeTest, FindsByNameInAnyCase) {
  EXPECT_EQ(ForeignTensorTypeName(19), "IQ1_S (19)");
  EXPECT_EQ(ForeignTensorTypeName(77), "77");
  EXPECT_TRUE(ComputableTensorTypes().starts_with("F32, F16, Q4_0"));
  EXPECT_NE(ComputableTensorTypes().find("IQ2_XS"), std::string::npos);
  EXPECT_TRUE(EncodableTensorTypes().ends_with("IQ4_NL, IQ4_XS, BF16, MXFP4"));
  ASSERT_NE(FindTensorType("q4_k"), nullptr);
  EXPECT_EQ(FindTensorType("q4_k")->type, TensorType::kQ4_K);
  EXPECT_EQ(FindTensorType("Bf16")->type, TensorType::kBF16);
  for (const char* unknown : {"", "q4", "q4_k ", "q4_kk"})
    EXPECT_EQ(FindTensorType(unknown), nullptr) << unknown;
}

TEST(TensorTypeTest, UnknownNumbersAreNull) {
  for (const std::uint32_t number : {4u, 5u, 31u, 40u, 0xffffffffu})
    EXPECT_EQ(FindTensorType(number), nullptr) << number;
}

TEST(TensorTypeTest, RowBytesRefusesPartialBlocksAndOverflow) {
  EXPECT_EQ(RowBytes(TensorType::kQ4_K, 512), 288u);
  EXPECT_EQ(RowBytes(TensorType::kF32, 3), 12u);
  EXPECT_EQ(RowBytes(TensorType::kQ8_0, 0), 0u);
  EXPECT_EQ(RowBytes(TensorType::kQ4_K, 255), std::nullopt);
  EXPECT_EQ(RowBytes(TensorType::kQ8_0, 33), std::nullopt);
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(RowBytes(TensorType::kF32, largest), std::nullopt);
  EXPECT_EQ(RowBytes(TensorType::kF32, largest / 4), largest / 4 * 4);
  EXPECT_EQ(RowBytes(TensorType::kQ8_0, largest / 32 * 32), std::nullopt);
}

}  // namespace
}  // namespace edgemoe
