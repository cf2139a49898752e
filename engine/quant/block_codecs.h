// SPDX-License-Identifier: Apache-2.0
//
// One block of each quantised format, both ways where both are here; each pair lives in the
// format's own file, the decoders of the IQ types of 256 elements in iq_decode.cc. Private to
// engine/quant: others use quantize.h. Encoders accept any float: what is not finite counts as
// zero, and a scale beyond binary16 saturates, so that every block decodes to finite numbers.
// `w`: the weight of each element's squared error, above 0 (RowImportance makes them); null:
// without importance, which Q8_0 and Q4_0 round as the gguf package does, Q4_K, Q5_K and Q6_K weigh
// by size (search_weights.h), and the others take as equal.
#pragma once

#include <cmath>

#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"

namespace edgemoe::quant {

void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ8_0* block);
void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ4_0* block);
void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ4_K* block);
void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ5_K* block);
void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ6_K* block);
void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ4_1* block);
void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ5_0* block);
void EncodeBlock(const float x[kSmallBlock], const float* w, BlockQ5_1* block);
void EncodeBlock(const float x[kSmallBlock], const float* w, BlockIQ4_NL* block);
void EncodeBlock(const float x[kSmallBlock], const float* w, BlockMXFP4* block);
void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ2_K* block);
void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ3_K* block);
void EncodeBlock(const float x[kSuperBlock], const float* w, BlockIQ4_XS* block);

void DecodeBlock(const BlockQ8_0& block, float out[kSmallBlock]);
void DecodeBlock(const BlockQ4_0& block, float out[kSmallBlock]);
void DecodeBlock(const BlockQ4_K& block, float out[kSuperBlock]);
void DecodeBlock(const BlockQ5_K& block, float out[kSuperBlock]);
void DecodeBlock(const BlockQ6_K& block, float out[kSuperBlock]);
void DecodeBlock(const BlockQ4_1& block, float out[kSmallBlock]);
void DecodeBlock(const BlockQ5_0& block, float out[kSmallBlock]);
void DecodeBlock(const BlockQ5_1& block, float out[kSmallBlock]);
void DecodeBlock(const BlockIQ4_NL& block, float out[kSmallBlock]);
void DecodeBlock(const BlockMXFP4& block, float out[kSmallBlock]);
void DecodeBlock(const BlockQ2_K& block, float out[kSuperBlock]);
void DecodeBlock(const BlockQ3_K& block, float out[kSuperBlock]);
void DecodeBlock(const BlockIQ4_XS& block, float out[kSuperBlock]);
void DecodeBlock(const BlockIQ2_XXS& block, float out[kSuperBlock]);
void DecodeBlock(const BlockIQ2_XS& block, float out[kSuperBlock]);
void DecodeBlock(const BlockIQ2_S& block, float out[kSuperBlock]);
void DecodeBlock(const BlockIQ3_XXS& block, float out[kSuperBlock]);
void DecodeBlock(const BlockIQ3_S& block, float out[kSuperBlock]);

constexpr float kHalfMax = 65504.0f;

inline float FiniteOrZero(float x) { return std::isfinite(x) ? x : 0.0f; }

inline HalfBits ScaleToHalf(float scale) {
  return FloatToHalf(std::fmin(std::fmax(scale, -kHalfMax), kHalfMax));
}

// As ScaleToHalf, but never rounded towards zero, so that integers that count multiples of the
// scale stay within their range. It matters for subnormal halves, whose steps are coarse.
inline HalfBits ScaleToHalfOutwards(float scale) {
  const HalfBits nearest = ScaleToHalf(scale);
  const bool smaller = std::fabs(HalfToFloat(nearest)) < std::fmin(std::fabs(scale), kHalfMax);
  return smaller ? static_cast<HalfBits>(nearest + 1) : nearest;
}

}  // namespace edgemoe::quant
