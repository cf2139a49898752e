// SPDX-License-Identifier: Apache-2.0
//
// IQ4_XS and the types with grids against Q8_K.
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/mat_mul_k.h"
#include "engine/kernels/x86_avx512/mat_mul_q8.h"
#include "engine/kernels/x86_avx512/mat_mul_tile.h"
#include "engine/quant/codebooks.h"
#include "engine/quant/grids.h"

namespace edgemoe::avx512 {
namespace {

#include "engine/kernels/x86/iq_blocks.inc"

// Unpack(run, &magnitudes, &negative): elements 64 * run ... + 63 without their signs, and which
// are negative.
template <class Block>
struct GridWeights : Block {
  using Block::Block;
  void Unpack(int run, __m512i* magnitudes, __mmask64* negative) const {
    *magnitudes = Join(this->Magnitudes(2 * run), this->Magnitudes(2 * run + 1));
    *negative = LoadAs<std::uint64_t>(this->sign_bits + 8 * run);
  }
};

struct IQ4_XS {
  static constexpr std::size_t kBlockBytes = sizeof(BlockIQ4_XS);
  static constexpr float kUnit = 1;

  explicit IQ4_XS(const std::byte* from) : block(from) {}
  __m256i Scales() const { return ScalesOfIq4Xs(block); }
  void Unpack(int run, __m512i* magnitudes, __mmask64* negative) const {
    const std::byte* qs = block + offsetof(BlockIQ4_XS, qs) + 32 * run;
    const __m512i indices = SpreadNibbles(qs, qs + 16);
    // Values ascend: the first eight are negative.
    *negative = _mm512_testn_epi8_mask(indices, _mm512_set1_epi8(8));
    const __m128i table = _mm_abs_epi8(Load16(kIq4NlValues));
    *magnitudes = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), indices);
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
    const __m512i zero = _mm512_setzero_si512();
    __m512 acc[kTokens];
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) acc[t] = _mm512_setzero_ps();
    for (std::size_t block = 0; block < columns / kSuperBlock; ++block) {
      const std::byte* w = weights + block * Weights::kBlockBytes;
      const std::size_t at = block * sizeof(BlockQ8_K);
      const Weights unpacked(w);
      const __m512i scales = _mm512_castsi256_si512(unpacked.Scales());
      __m512i dots[kTokens];
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t] = zero;
      EDGEMOE_UNROLL
      for (int run = 0; run < 4; ++run) {
        __m512i magnitudes;
        __mmask64 negative;
        unpacked.Unpack(run, &magnitudes, &negative);
        const __m512i scale = ScalesOfRun(scales, run);
        EDGEMOE_UNROLL
        for (std::size_t t = 0; t < kTokens; ++t) {
          const __m512i plain = Load64(x[t] + at + kQuantsAt + 64 * run);
          const __m512i a = _mm512_mask_sub_epi8(plain, negative, zero, plain);
          dots[t] = _mm512_dpwssd_epi32(dots[t], _mm512_maddubs_epi16(magnitudes, a), scale);
        }
      }
      const __m512 d = _mm512_mul_ps(BroadcastHalf(w), _mm512_set1_ps(Weights::kUnit));
      EDGEMOE_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const __m512 dx = BroadcastFloat(x[t] + at);
        acc[t] = _mm512_fmadd_ps(_mm512_mul_ps(d, dx), _mm512_cvtepi32_ps(dots[t]), acc[t]);
      }
    }
    EDGEMOE_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) sums[0][t] = Sum(acc[t]);
  }

  // Scale 4 * run + i in the 16-bit lanes of quarter i.
  static __m512i ScalesOfRun(__m512i scales, int run) {
    const __m512i quarters =
        _mm512_setr_epi64(0, 0, 0x0001000100010001, 0x0001000100010001, 0x0002000200020002,
                          0x0002000200020002, 0x0003000300030003, 0x0003000300030003);
    const __m512i first = _mm512_set1_epi16(static_cast<short>(4 * run));
    return _mm512_permutexvar_epi16(_mm512_add_epi16(quarters, first), scales);
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

}  // namespace edgemoe::avx512
