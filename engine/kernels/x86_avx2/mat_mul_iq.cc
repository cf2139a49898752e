// SPDX-License-Identifier: Apache-2.0
//
// IQ4_XS and the types with grids against Q8_K.
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/mat_mul_k.h"
#include "engine/kernels/x86_avx2/mat_mul_q8.h"
#include "engine/kernels/x86_avx2/mat_mul_tile.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/grids.h"

namespace edgemoe::avx2 {
namespace {

#include "engine/kernels/x86/iq_blocks.inc"

// Unpack(run, &magnitudes, &signs): elements 32 * run ... + 31 without their signs, and bytes that
// have their signs and are not zero.
template <class Block>
struct GridWeights : Block {
  using Block::Block;
  void Unpack(int run, __m256i* magnitudes, __m256i* signs) const {
    *magnitudes = this->Magnitudes(run);
    const __m256i negative =
        SpreadBits(reinterpret_cast<const std::byte*>(this->sign_bits + 4 * run), -1);
    *signs = _mm256_or_si256(negative, _mm256_set1_epi8(1));
  }
};

struct IQ4_XS {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ4_XS);
  static constexpr float kUnit = 1;

  explicit IQ4_XS(const std::byte* from) : block(from) {}
  __m256i Scales() const { return ScalesOfIq4Xs(block); }
  void Unpack(int run, __m256i* magnitudes, __m256i* signs) const {
    const std::byte* qs = block + offsetof(BlockIQ4_XS, qs) + 16 * run;
    *signs = LookUp(kIq4NlValues, SpreadNibbles(qs));
    *magnitudes = _mm256_abs_epi8(*signs);
  }

  const std::byte* block;
};

// Each sign goes over to the activation: the multiply wants unsigned by signed. No pair of products
// exceeds 2 * 127 * 127, so nothing saturates.
template <class Weights>
struct SignedFormat {
  static constexpr std::size_t kRowTile = 1;

  template <std::size_t kRows, std::size_t kTokens>
  static void Dot(const std::byte* weights, std::size_t, const std::byte* const (&x)[kTokens],
                  std::size_t columns, float (&sums)[kRows][kTokens]) {
    static_assert(kRows == kRowTile);
    __m256 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm256_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const Weights unpacked(w);
      const __m256i scales = unpacked.Scales();
      const __m256i halves[2] = {_mm256_permute4x64_epi64(scales, 0x44),
                                 _mm256_permute4x64_epi64(scales, 0xee)};
      __m256i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = _mm256_setzero_si256();
      EDGEMOE_UNROLL
      for (int run = 0; run < 8; ++run) {
        __m256i magnitudes;
        __m256i signs;
        unpacked.Unpack(run, &magnitudes, &signs);
        const __m256i scale = ScalesOfRun(halves[run / 4], run % 4);
        EDGEMOE_UNROLL
        for (std::size_t t = 0; t < kTokens; ++t) {
          const __m256i a = _mm256_sign_epi8(Load32(x[t] + at + kQuantsAt + 32 * run), signs);
          const __m256i p = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitudes, a), scale);
          dots[t] = _mm256_add_epi32(dots[t], p);
        }
      }
      const __m256 d = _mm256_mul_ps(BroadcastHalf(w), _mm256_set1_ps(Weights::kUnit));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m256 dx = BroadcastFloat(x[t] + at);
        acc[t] = _mm256_fmadd_ps(_mm256_mul_ps(d, dx), _mm256_cvtepi32_ps(dots[t]), acc[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[0][t] = Sum(acc[t]);
  }
};

template <class Weights>
void Multiply(const MatMulArgs& args) {
  MultiplyTiled<SignedFormat<Weights>>(args);
}

}  // namespace

void MatMulIQ4_XS(const MatMulArgs& args) { Multiply<IQ4_XS>(args); }
void MatMulIQ3_S(const MatMulArgs& args) { Multiply<GridWeights<IQ3_S>>(args); }
void MatMulIQ3_XXS(const MatMulArgs& args) { Multiply<GridWeights<IQ3_XXS>>(args); }
void MatMulIQ2_S(const MatMulArgs& args) { Multiply<GridWeights<IQ2_S>>(args); }
void MatMulIQ2_XS(const MatMulArgs& args) { Multiply<GridWeights<IQ2_XS>>(args); }
void MatMulIQ2_XXS(const MatMulArgs& args) { Multiply<GridWeights<IQ2_XXS>>(args); }

}  // namespace edgemoe::avx2
