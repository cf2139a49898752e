// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"
#include "engine/kernels/x86_avx2/simd.h"

namespace edgemoe::avx2 {
namespace {

// Eight elements of a row as floats.
struct F32 {
  static constexpr std::size_t kBytes = 4;
  static __m256 Load(const std::byte* from) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(from));
  }
};
struct F16 {
  static constexpr std::size_t kBytes = 2;
  static __m256 Load(const std::byte* from) { return _mm256_cvtph_ps(Load16(from)); }
};
struct BF16 {
  static constexpr std::size_t kBytes = 2;
  static __m256 Load(const std::byte* from) {
    const __m256i words = _mm256_cvtepu16_epi32(Load16(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
  }
};

template <class Element>
struct Format {
  // Two accumulators for each of four tokens: those of a second row would not fit in registers.
  static constexpr std::size_t kRowTile = 1;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t row_bytes,
                  const std::byte* const (&x)[kTokens], std::size_t columns,
                  float (&sums)[kRows][kTokens]) {
    constexpr std::size_t kLanes = 8;
    __m256 even[kRows][kTokens];
    __m256 odd[kRows][kTokens];
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      even[i / kTokens][i % kTokens] = _mm256_setzero_ps();
      odd[i / kTokens][i % kTokens] = _mm256_setzero_ps();
    }
    std::size_t i = 0;
    for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
      const std::size_t at = i * Element::kBytes;
      const std::size_t next = (i + kLanes) * Element::kBytes;
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256 a0 = Element::Load(x[t] + at);
        const __m256 a1 = Element::Load(x[t] + next);
        EDGEMOE_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          const std::byte* w = weights + r * row_bytes;
          even[r][t] = _mm256_fmadd_ps(Element::Load(w + at), a0, even[r][t]);
          odd[r][t] = _mm256_fmadd_ps(Element::Load(w + next), a1, odd[r][t]);
        }
      }
    }
    for (; i < columns; i += kLanes) {
      const std::size_t count = columns - i < kLanes ? columns - i : kLanes;
      EDGEMOE_UNROLL
      for (std::size_t j = 0; j < kRows * kTokens; ++j) {
        const std::byte* w = weights + j / kTokens * row_bytes + i * Element::kBytes;
        const __m256 a = LoadSomeElements(x[j % kTokens] + i * Element::kBytes, count);
        __m256& sum = even[j / kTokens][j % kTokens];
        sum = _mm256_fmadd_ps(LoadSomeElements(w, count), a, sum);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t j = 0; j < kRows * kTokens; ++j) {
      const std::size_t r = j / kTokens;
      const std::size_t t = j % kTokens;
      sums[r][t] = Sum(_mm256_add_ps(even[r][t], odd[r][t]));
    }
  }

  static __m256 LoadSomeElements(const std::byte* from, std::size_t count) {
    std::byte lanes[32] = {};
    std::memcpy(lanes, from, count * Element::kBytes);
    return Element::Load(lanes);
  }
};

}  // namespace

void MatMulF32(const MatMulArgs& args) { MultiplyTiled<Format<F32>>(args); }
void MatMulF16(const MatMulArgs& args) { MultiplyTiled<Format<F16>>(args); }
void MatMulBF16(const MatMulArgs& args) { MultiplyTiled<Format<BF16>>(args); }

}  // namespace edgemoe::avx2
