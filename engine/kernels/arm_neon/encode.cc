// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/arm_neon/simd.h"
#include "engine/kernels/kernel_functions.h"
#include "engine/quant/block_formats.h"

namespace edgemoe::neon {
namespace {

constexpr HalfBits kHalfNan = 0x7e00;

// The largest magnitude of n elements, n a multiple of 4; NaN when there is one.
float LargestMagnitude(const float* x, std::size_t n) {
  float32x4_t largest = vdupq_n_f32(0);
  uint32x4_t numbers = vdupq_n_u32(0xffffffffu);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const float32x4_t v = vld1q_f32(x + i);
    largest = vmaxnmq_f32(vabsq_f32(v), largest);
    numbers = vandq_u32(numbers, vceqq_f32(v, v));
  }
  return vminvq_u32(numbers) == 0 ? __builtin_nanf("") : vmaxvq_f32(largest);
}

int16x4_t Round4(const float* x, float inverse) {
  float32x4_t v = vmulq_n_f32(vld1q_f32(x), inverse);
  v = vmaxnmq_f32(v, vdupq_n_f32(-127.0f));
  v = vminnmq_f32(v, vdupq_n_f32(127.0f));
  return vmovn_s32(vcvtnq_s32_f32(v));
}

// 16 elements times `inverse`, to the nearest integers, ties to even, within [-127, 127].
int8x16_t Round16(const float* x, float inverse) {
  const int16x8_t a = vcombine_s16(Round4(x, inverse), Round4(x + 4, inverse));
  const int16x8_t b = vcombine_s16(Round4(x + 8, inverse), Round4(x + 12, inverse));
  return vcombine_s8(vmovn_s16(a), vmovn_s16(b));
}

}  // namespace

void EncodeF32(const float* x, std::size_t n, std::byte* encoded) {
  std::memcpy(encoded, x, n * sizeof(float));
}

void EncodeF16(const float* x, std::size_t n, std::byte* encoded) {
  ToHalf(x, n, reinterpret_cast<std::uint16_t*>(encoded));
}

void EncodeBF16(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t v = Load(x + i, count);
    const uint32x4_t bits = vreinterpretq_u32_f32(v);
    const uint32x4_t upper = vshrq_n_u32(bits, 16);
    const uint32x4_t odd = vandq_u32(upper, vdupq_n_u32(1));
    const uint32x4_t half = vaddq_u32(odd, vdupq_n_u32(0x7fff));
    const uint32x4_t rounded = vshrq_n_u32(vaddq_u32(bits, half), 16);
    const uint32x4_t quiet = vorrq_u32(upper, vdupq_n_u32(64));
    const uint16x4_t words = vmovn_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet));
    std::memcpy(encoded + i * sizeof(std::uint16_t), &words, count * sizeof(std::uint16_t));
  }
}

void EncodeQ8_0(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kSmallBlock, encoded += sizeof(BlockQ8_0)) {
    const float largest = LargestMagnitude(x + i, kSmallBlock);
    BlockQ8_0 block = {};
    if (largest > 0) {
      const auto d = static_cast<float16_t>(largest / 127.0f);
      std::memcpy(&block.d, &d, sizeof(d));
      const float inverse = 127.0f / largest;
      vst1q_s8(block.qs, Round16(x + i, inverse));
      vst1q_s8(block.qs + 16, Round16(x + i + 16, inverse));
    } else if (largest != largest) {
      block.d = kHalfNan;
    }
    std::memcpy(encoded, &block, sizeof(block));
  }
}

void EncodeQ8_K(const float* x, std::size_t n, std::byte* encoded) {
  for (std::size_t i = 0; i < n; i += kSuperBlock, encoded += sizeof(BlockQ8_K)) {
    const float largest = LargestMagnitude(x + i, kSuperBlock);
    BlockQ8_K block = {};
    block.d = largest;
    if (largest > 0) {
      const float inverse = 127.0f / largest;
      block.d = 1.0f / inverse;
      for (std::size_t j = 0; j < kSuperBlock; j += 16) {
        const int8x16_t quants = Round16(x + i + j, inverse);
        vst1q_s8(block.qs + j, quants);
        block.bsums[j / 16] = vaddlvq_s8(quants);
      }
    }
    std::memcpy(encoded, &block, sizeof(block));
  }
}

}  // namespace edgemoe::neon
