// SPDX-License-Identifier: Apache-2.0
//
// IQ4_XS and the types with grids.
#include "engine/quant/block_codecs.h"
#include "engine/quant/iq_fields.h"

namespace edgemoe::quant {
namespace {

template <class Block>
void DecodeFields(const Block& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d) * kUnitOf<Block>;
  for (std::size_t i = 0; i < kSuperBlock; ++i)
    out[i] = d * static_cast<float>(ScaleOf(block, i)) * static_cast<float>(LevelOf(block, i));
}

}  // namespace

void DecodeBlock(const BlockIQ4_XS& block, float out[kSuperBlock]) { DecodeFields(block, out); }
void DecodeBlock(const BlockIQ2_XXS& block, float out[kSuperBlock]) { DecodeFields(block, out); }
void DecodeBlock(const BlockIQ2_XS& block, float out[kSuperBlock]) { DecodeFields(block, out); }
void DecodeBlock(const BlockIQ2_S& block, float out[kSuperBlock]) { DecodeFields(block, out); }
void DecodeBlock(const BlockIQ3_XXS& block, float out[kSuperBlock]) { DecodeFields(block, out); }
void DecodeBlock(const BlockIQ3_S& block, float out[kSuperBlock]) { DecodeFields(block, out); }

}  // namespace edgemoe::quant
