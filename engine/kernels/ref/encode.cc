// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/kernels/kernel_functions.h"
#include "engine/quant/block_formats.h"
#include "engine/quant/half.h"

namespace edgemoe::ref {
namespace {

constexpr HalfBits kHalfNan = 0x7e00;

// The largest magnitude of a block; NaN when there is one.
float LargestMagnitude(const float* x, std::size_t n) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isnan(x[i])) return std::numeric_limits<float>::quiet_NaN();
    largest = std::fmax(largest, std::fabs(x[i]));
  }
  return largest;
}

// To the nearest integer, ties to even, within [-127, 127]. Infinity times a zero scale is NaN,
// which becomes -127, as the vector minimum and maximum have it.
std::int8_t Round(float value) {
  value = value > -127.0f ? value : -127.0f;
  value = value < 127.0f ? value : 127.0f;
  return static_cast<std::int8_t>(std::nearbyint(value));
}

}  // namespace

void EncodeF32(const float* x, std::size_t n, std::byte* encoded) {
  std::memcpy(encoded, x, n * sizeof(float));
}

void EncodeF16(const float* x, std::size_t n, std::byte* encoded) {
  ToHalf(x, n, reinterpret_cast<std::uint16_t*>(encoded));
}

void EncodeBF16(const float* x, std::size_t n, std::byte* encoded) {
  auto* out = reinterpret_cast<std::uint16_t*>(encoded);
  for (std::size_t i = 0; i < n; ++i) out[i] = FloatToBFloat(x[i]);
}

void EncodeQ8_0(const float* x, std::size_t n, std::byte* encoded) {
  auto* out = reinterpret_cast<BlockQ8_0*>(encoded);
  for (std::size_t block = 0; block < n / kSmallBlock; ++block, x += kSmallBlock) {
    const float largest = LargestMagnitude(x, kSmallBlock);
    if (!(largest > 0)) {
      out[block] = {};
      if (std::isnan(largest)) out[block].d = kHalfNan;
      continue;
    }
    out[block].d = FloatToHalf(largest / 127.0f);
    const float inverse = 127.0f / largest;
    for (std::size_t i = 0; i < kSmallBlock; ++i) out[block].qs[i] = Round(x[i] * inverse);
  }
}

// llama.cpp gives the scale the sign opposite to the largest element's; both signs cancel in every
// product, so a positive scale gives the same results to the bit.
void EncodeQ8_K(const float* x, std::size_t n, std::byte* encoded) {
  auto* out = reinterpret_cast<BlockQ8_K*>(encoded);
  for (std::size_t block = 0; block < n / kSuperBlock; ++block, x += kSuperBlock) {
    const float largest = LargestMagnitude(x, kSuperBlock);
    out[block] = {};
    if (!(largest > 0)) {
      out[block].d = largest;
      continue;
    }
    const float inverse = 127.0f / largest;
    out[block].d = 1.0f / inverse;
    for (std::size_t i = 0; i < kSuperBlock; ++i) {
      out[block].qs[i] = Round(x[i] * inverse);
      out[block].bsums[i / 16] =
          static_cast<std::int16_t>(out[block].bsums[i / 16] + out[block].qs[i]);
    }
  }
}

}  // namespace edgemoe::ref
