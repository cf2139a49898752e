// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"
#include "engine/kernels/x86_avx512/simd.h"

namespace edgemoe::avx512 {
namespace {

// Sixteen elements of a row as floats, or the first of them.
struct F32 {
  static constexpr std::size_t kBytes = 4;
  static __m512 LoadAll(const std::byte* from) { return _mm512_loadu_ps(from); }
  static __m512 LoadSome(const std::byte* from, __mmask16 mask) {
    return _mm512_maskz_loadu_ps(mask, from);
  }
};
struct F16 {
  static constexpr std::size_t kBytes = 2;
  static __m512 LoadAll(const std::byte* from) { return _mm512_cvtph_ps(Load32(from)); }
  static __m512 LoadSome(const std::byte* from, __mmask16 mask) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, from));
  }
};
struct BF16 {
  static constexpr std::size_t kBytes = 2;
  static __m512 Widen(__m256i words) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16));
  }
  static __m512 LoadAll(const std::byte* from) { return Widen(Load32(from)); }
  static __m512 LoadSome(const std::byte* from, __mmask16 mask) {
    return Widen(_mm256_maskz_loadu_epi16(mask, from));
  }
};

template <class Element>
struct Format {
  static constexpr std::size_t kRowTile = 2;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t row_bytes,
                  const std::byte* const (&x)[kTokens], std::size_t columns,
                  float (&sums)[kRows][kTokens]) {
    __m512 even[kRows][kTokens];
    __m512 odd[kRows][kTokens];
    EDGEMOE_UNROLL
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      even[i / kTokens][i % kTokens] = _mm512_setzero_ps();
      odd[i / kTokens][i % kTokens] = _mm512_setzero_ps();
    }
    std::size_t i = 0;
    for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
      const std::size_t at = i * Element::kBytes;
      const std::size_t next = (i + kLanes) * Element::kBytes;
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m512 a0 = Element::LoadAll(x[t] + at);
        const __m512 a1 = Element::LoadAll(x[t] + next);
        EDGEMOE_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          const std::byte* w = weights + r * row_bytes;
          even[r][t] = _mm512_fmadd_ps(Element::LoadAll(w + at), a0, even[r][t]);
          odd[r][t] = _mm512_fmadd_ps(Element::LoadAll(w + next), a1, odd[r][t]);
        }
      }
    }
    for (; i < columns; i += kLanes) {
      const __mmask16 mask = MaskOf(LanesAt(i, columns));
      EDGEMOE_UNROLL
      for (std::size_t j = 0; j < kRows * kTokens; ++j) {
        const std::byte* w = weights + j / kTokens * row_bytes + i * Element::kBytes;
        const __m512 a = Element::LoadSome(x[j % kTokens] + i * Element::kBytes, mask);
        __m512& sum = even[j / kTokens][j % kTokens];
        sum = _mm512_fmadd_ps(Element::LoadSome(w, mask), a, sum);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t j = 0; j < kRows * kTokens; ++j) {
      const std::size_t r = j / kTokens;
      const std::size_t t = j % kTokens;
      sums[r][t] = Sum(_mm512_add_ps(even[r][t], odd[r][t]));
    }
  }
};

}  // namespace

void MatMulF32(const MatMulArgs& args) { MultiplyTiled<Format<F32>>(args); }
void MatMulF16(const MatMulArgs& args) { MultiplyTiled<Format<F16>>(args); }
void MatMulBF16(const MatMulArgs& args) { MultiplyTiled<Format<BF16>>(args); }

}  // namespace edgemoe::avx512
