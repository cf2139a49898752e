// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/mat_mul_tile.h"
#include "engine/kernels/arm_neon/simd.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

// Four elements of a row, at any address, as floats.
struct F32 {
  static constexpr std::size_t kBytes = 4;
  static float32x4_t Load(const std::byte* from) {
    return vreinterpretq_f32_u8(LoadUnsigned(from));
  }
};
struct F16 {
  static constexpr std::size_t kBytes = 2;
  static float32x4_t Load(const std::byte* from) {
    return WidenHalves(vreinterpret_u16_u8(vld1_u8(reinterpret_cast<const uint8_t*>(from))));
  }
};
struct BF16 {
  static constexpr std::size_t kBytes = 2;
  static float32x4_t Load(const std::byte* from) {
    const uint8x8_t bytes = vld1_u8(reinterpret_cast<const uint8_t*>(from));
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(bytes), 16));
  }
};

template <class Element>
struct Format {
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    float32x4_t even[kTokens];
    float32x4_t odd[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) even[t] = odd[t] = vdupq_n_f32(0);
    std::size_t i = 0;
    for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
      const std::size_t at = i * Element::kBytes;
      const std::size_t next = (i + kLanes) * Element::kBytes;
      const float32x4_t w0 = Element::Load(weights + at);
      const float32x4_t w1 = Element::Load(weights + next);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        even[t] = vfmaq_f32(even[t], w0, Element::Load(x[t] + at));
        odd[t] = vfmaq_f32(odd[t], w1, Element::Load(x[t] + next));
      }
    }
    for (; i < columns; i += kLanes) {
      const std::size_t count = LanesAt(i, columns);
      const float32x4_t w = LoadSome(weights + i * Element::kBytes, count);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        even[t] = vfmaq_f32(even[t], w, LoadSome(x[t] + i * Element::kBytes, count));
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = vaddvq_f32(vaddq_f32(even[t], odd[t]));
  }

  static float32x4_t LoadSome(const std::byte* from, std::size_t count) {
    std::byte lanes[16] = {};
    std::memcpy(lanes, from, count * Element::kBytes);
    return Element::Load(lanes);
  }
};

}  // namespace

void MatMulF32(const MatMulArgs& args) { MultiplyTiled<Format<F32>>(args); }
void MatMulF16(const MatMulArgs& args) { MultiplyTiled<Format<F16>>(args); }
void MatMulBF16(const MatMulArgs& args) { MultiplyTiled<Format<BF16>>(args); }

}  // namespace edgemoe::neon
