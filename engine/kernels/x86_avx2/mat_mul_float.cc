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
  template <std::size_t kTokens>
  static void Dot(const std::byte* weights, const std::byte* const* x, std::size_t columns,
                  float* sums) {
    constexpr std::size_t kLanes = 8;
    __m256 even[kTokens];
    __m256 odd[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) even[t] = odd[t] = _mm256_setzero_ps();
    std::size_t i = 0;
    for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
      const std::size_t at = i * Element::kBytes;
      const std::size_t next = (i + kLanes) * Element::kBytes;
      const __m256 w0 = Element::Load(weights + at);
      const __m256 w1 = Element::Load(weights + next);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        even[t] = _mm256_fmadd_ps(w0, Element::Load(x[t] + at), even[t]);
        odd[t] = _mm256_fmadd_ps(w1, Element::Load(x[t] + next), odd[t]);
      }
    }
    for (; i < columns; i += kLanes) {
      const std::size_t count = columns - i < kLanes ? columns - i : kLanes;
      const __m256 w = LoadSomeElements(weights + i * Element::kBytes, count);
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256 a = LoadSomeElements(x[t] + i * Element::kBytes, count);
        even[t] = _mm256_fmadd_ps(w, a, even[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[t] = Sum(_mm256_add_ps(even[t], odd[t]));
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
