// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_table.h"

#include "engine/base/check.h"
#include "engine/quant/block_formats.h"

namespace edgemoe {

ActivationType ActivationTypeFor(TensorType weights) {
  switch (weights) {
    case TensorType::kF32: return ActivationType::kF32;
    case TensorType::kF16: return ActivationType::kF16;
    case TensorType::kBF16: return ActivationType::kBF16;
    case TensorType::kQ8_0:
    case TensorType::kQ4_0:
    case TensorType::kQ4_1:
    case TensorType::kQ5_0:
    case TensorType::kQ5_1:
    case TensorType::kIQ4_NL:
    case TensorType::kMXFP4: return ActivationType::kQ8_0;
    case TensorType::kQ2_K:
    case TensorType::kQ3_K:
    case TensorType::kQ4_K:
    case TensorType::kQ5_K:
    case TensorType::kQ6_K:
    case TensorType::kIQ4_XS:
    case TensorType::kIQ3_S:
    case TensorType::kIQ3_XXS:
    case TensorType::kIQ2_S:
    case TensorType::kIQ2_XS:
    case TensorType::kIQ2_XXS: return ActivationType::kQ8_K;
    default: EDGEMOE_CHECK(false, "no kernel multiplies weights of this type");
  }
}

std::size_t ActivationRowBytes(ActivationType type, std::size_t columns) {
  switch (type) {
    case ActivationType::kF32: return columns * sizeof(float);
    case ActivationType::kF16:
    case ActivationType::kBF16: return columns * sizeof(std::uint16_t);
    case ActivationType::kQ8_0:
      EDGEMOE_CHECK(columns % kSmallBlock == 0, "columns are whole blocks");
      return columns / kSmallBlock * sizeof(BlockQ8_0);
    case ActivationType::kQ8_K:
      EDGEMOE_CHECK(columns % kSuperBlock == 0, "columns are whole blocks");
      return columns / kSuperBlock * sizeof(BlockQ8_K);
  }
  EDGEMOE_CHECK(false, "not an activation type");
}

}  // namespace edgemoe
