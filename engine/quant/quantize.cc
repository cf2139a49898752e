// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/quantize.h"

#include <cstring>

#include "engine/base/check.h"
#include "engine/quant/block_codecs.h"
#include "engine/quant/half.h"
#include "engine/quant/search/weighted_block.h"

namespace edgemoe {
namespace {

// Blocks and halves are copied to and from the row: rows inside files have any alignment.

template <class Block, std::size_t kElements>
void DecodeBlocks(const std::byte* packed, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; i += kElements, packed += sizeof(Block)) {
    Block block;
    std::memcpy(&block, packed, sizeof(Block));
    quant::DecodeBlock(block, out + i);
  }
}

template <class Block, std::size_t kElements>
void EncodeBlocks(const float* x, std::size_t n, const float* importance, std::byte* packed) {
  const quant::RowImportance row(importance, n);
  float w[kElements];
  for (std::size_t i = 0; i < n; i += kElements, packed += sizeof(Block)) {
    for (std::size_t k = 0; importance != nullptr && k < kElements; ++k) w[k] = row.WeightOf(i + k);
    Block block;
    quant::EncodeBlock(x + i, importance != nullptr ? w : nullptr, &block);
    std::memcpy(packed, &block, sizeof(Block));
  }
}

template <float (*kConvert)(std::uint16_t)>
void DecodeHalves(const std::byte* packed, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, packed + 2 * i, sizeof(bits));
    out[i] = kConvert(bits);
  }
}

template <std::uint16_t (*kConvert)(float)>
void EncodeHalves(const float* x, std::size_t n, std::byte* packed) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t bits = kConvert(x[i]);
    std::memcpy(packed + 2 * i, &bits, sizeof(bits));
  }
}

void CheckRow(TensorType type, std::size_t n) {
  const TensorTypeTraits& traits = TraitsOf(type);
  EDGEMOE_CHECK(n % traits.block_elements == 0, "a row is a whole number of blocks");
}

}  // namespace

void DequantizeRow(TensorType type, const std::byte* packed, std::size_t n, float* out) {
  CheckRow(type, n);
  switch (type) {
    case TensorType::kF32:
      if (n > 0) std::memcpy(out, packed, n * sizeof(float));
      return;
    case TensorType::kF16: return DecodeHalves<HalfToFloat>(packed, n, out);
    case TensorType::kBF16: return DecodeHalves<BFloatToFloat>(packed, n, out);
    case TensorType::kQ8_0: return DecodeBlocks<BlockQ8_0, kSmallBlock>(packed, n, out);
    case TensorType::kQ4_0: return DecodeBlocks<BlockQ4_0, kSmallBlock>(packed, n, out);
    case TensorType::kQ4_K: return DecodeBlocks<BlockQ4_K, kSuperBlock>(packed, n, out);
    case TensorType::kQ5_K: return DecodeBlocks<BlockQ5_K, kSuperBlock>(packed, n, out);
    case TensorType::kQ6_K: return DecodeBlocks<BlockQ6_K, kSuperBlock>(packed, n, out);
    case TensorType::kQ4_1: return DecodeBlocks<BlockQ4_1, kSmallBlock>(packed, n, out);
    case TensorType::kQ5_0: return DecodeBlocks<BlockQ5_0, kSmallBlock>(packed, n, out);
    case TensorType::kQ5_1: return DecodeBlocks<BlockQ5_1, kSmallBlock>(packed, n, out);
    case TensorType::kIQ4_NL: return DecodeBlocks<BlockIQ4_NL, kSmallBlock>(packed, n, out);
    case TensorType::kMXFP4: return DecodeBlocks<BlockMXFP4, kSmallBlock>(packed, n, out);
    case TensorType::kQ2_K: return DecodeBlocks<BlockQ2_K, kSuperBlock>(packed, n, out);
    case TensorType::kQ3_K: return DecodeBlocks<BlockQ3_K, kSuperBlock>(packed, n, out);
    case TensorType::kIQ4_XS: return DecodeBlocks<BlockIQ4_XS, kSuperBlock>(packed, n, out);
    case TensorType::kIQ3_S: return DecodeBlocks<BlockIQ3_S, kSuperBlock>(packed, n, out);
    case TensorType::kIQ3_XXS: return DecodeBlocks<BlockIQ3_XXS, kSuperBlock>(packed, n, out);
    case TensorType::kIQ2_S: return DecodeBlocks<BlockIQ2_S, kSuperBlock>(packed, n, out);
    case TensorType::kIQ2_XS: return DecodeBlocks<BlockIQ2_XS, kSuperBlock>(packed, n, out);
    case TensorType::kIQ2_XXS: return DecodeBlocks<BlockIQ2_XXS, kSuperBlock>(packed, n, out);
    default: EDGEMOE_CHECK(false, "this type has no conversion");
  }
}

void QuantizeRow(TensorType type, const float* x, std::size_t n, const float* importance,
                 std::byte* packed) {
  CheckRow(type, n);
  switch (type) {
    case TensorType::kF32:
      if (n > 0) std::memcpy(packed, x, n * sizeof(float));
      return;
    case TensorType::kF16: return EncodeHalves<FloatToHalf>(x, n, packed);
    case TensorType::kBF16: return EncodeHalves<FloatToBFloat>(x, n, packed);
    case TensorType::kQ8_0: return EncodeBlocks<BlockQ8_0, kSmallBlock>(x, n, importance, packed);
    case TensorType::kQ4_0: return EncodeBlocks<BlockQ4_0, kSmallBlock>(x, n, importance, packed);
    case TensorType::kQ4_K: return EncodeBlocks<BlockQ4_K, kSuperBlock>(x, n, importance, packed);
    case TensorType::kQ5_K: return EncodeBlocks<BlockQ5_K, kSuperBlock>(x, n, importance, packed);
    case TensorType::kQ6_K: return EncodeBlocks<BlockQ6_K, kSuperBlock>(x, n, importance, packed);
    case TensorType::kQ4_1: return EncodeBlocks<BlockQ4_1, kSmallBlock>(x, n, importance, packed);
    case TensorType::kQ5_0: return EncodeBlocks<BlockQ5_0, kSmallBlock>(x, n, importance, packed);
    case TensorType::kQ5_1: return EncodeBlocks<BlockQ5_1, kSmallBlock>(x, n, importance, packed);
    case TensorType::kIQ4_NL:
      return EncodeBlocks<BlockIQ4_NL, kSmallBlock>(x, n, importance, packed);
    case TensorType::kMXFP4: return EncodeBlocks<BlockMXFP4, kSmallBlock>(x, n, importance, packed);
    case TensorType::kQ2_K: return EncodeBlocks<BlockQ2_K, kSuperBlock>(x, n, importance, packed);
    case TensorType::kQ3_K: return EncodeBlocks<BlockQ3_K, kSuperBlock>(x, n, importance, packed);
    case TensorType::kIQ4_XS:
      return EncodeBlocks<BlockIQ4_XS, kSuperBlock>(x, n, importance, packed);
    default: EDGEMOE_CHECK(false, "this type is not written here");
  }
}

void QuantizeRow(TensorType type, const float* x, std::size_t n, std::byte* packed) {
  QuantizeRow(type, x, n, nullptr, packed);
}

}  // namespace edgemoe
