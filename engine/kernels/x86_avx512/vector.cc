// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/activation_constants.h"
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx512/simd.h"

namespace edgemoe::avx512 {
namespace {

// e^x to about one unit in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, a Taylor polynomial
// of degree 7 for e^r (truncation below 2^-27), scaled by 2^n. NaN stays NaN.
__m512 Exp(__m512 x) {
  // Beyond these the result is zero or infinity whatever x is.
  x = _mm512_max_ps(_mm512_set1_ps(-110.0f), _mm512_min_ps(_mm512_set1_ps(90.0f), x));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // ln 2 in two parts; n times the first is exact.
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62e4p-1f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.7f7d1cp-20f), r);
  __m512 p = _mm512_set1_ps(1.0f / 5040);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 720));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
  p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
  p = _mm512_add_ps(p, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}

__m512d LowerDoubles(__m512 v) { return _mm512_cvtps_pd(Lower(v)); }
__m512d UpperDoubles(__m512 v) { return _mm512_cvtps_pd(Upper(v)); }

}  // namespace

void RmsNorm(const float* x, const float* weight, std::size_t n, float epsilon, float* out) {
  __m512d lower = _mm512_setzero_pd();
  __m512d upper = _mm512_setzero_pd();
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __m512 v = Load(x + i, LanesAt(i, n));
    lower = _mm512_fmadd_pd(LowerDoubles(v), LowerDoubles(v), lower);
    upper = _mm512_fmadd_pd(UpperDoubles(v), UpperDoubles(v), upper);
  }
  const double mean = _mm512_reduce_add_pd(_mm512_add_pd(lower, upper)) / static_cast<double>(n);
  const __m128d root = _mm_sqrt_pd(_mm_set1_pd(mean + static_cast<double>(epsilon)));
  const __m512 scale = _mm512_set1_ps(static_cast<float>(1.0 / _mm_cvtsd_f64(root)));
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m512 scaled = _mm512_mul_ps(Load(x + i, count), scale);
    Store(_mm512_mul_ps(scaled, Load(weight + i, count)), count, out + i);
  }
}

void RopeNeox(float* head, std::size_t head_size, const float* cosines, const float* sines) {
  const std::size_t half = head_size / 2;
  for (std::size_t i = 0; i < half; i += kLanes) {
    const std::size_t count = LanesAt(i, half);
    const __m512 a = Load(head + i, count);
    const __m512 b = Load(head + half + i, count);
    const __m512 cosine = Load(cosines + i, count);
    const __m512 sine = Load(sines + i, count);
    Store(_mm512_fmsub_ps(a, cosine, _mm512_mul_ps(b, sine)), count, head + i);
    Store(_mm512_fmadd_ps(a, sine, _mm512_mul_ps(b, cosine)), count, head + half + i);
  }
}

void Swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const __m512 one = _mm512_set1_ps(1.0f);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m512 g = Load(gate + i, count);
    const __m512 e = Exp(_mm512_xor_ps(g, _mm512_set1_ps(-0.0f)));
    const __m512 silu = _mm512_div_ps(g, _mm512_add_ps(one, e));
    Store(_mm512_mul_ps(silu, Load(up + i, count)), count, out + i);
  }
}

void ClampedSwiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 limit = _mm512_set1_ps(kSwigluLimit);
  const __m512 lowest = _mm512_set1_ps(-kSwigluLimit);
  const __m512 sharpness = _mm512_set1_ps(-kSwigluSharpness);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    // The second operand is given where either is NaN.
    const __m512 g = _mm512_min_ps(limit, Load(gate + i, count));
    const __m512 u = _mm512_max_ps(lowest, _mm512_min_ps(limit, Load(up + i, count)));
    const __m512 e = Exp(_mm512_mul_ps(sharpness, g));
    const __m512 gated = _mm512_div_ps(g, _mm512_add_ps(one, e));
    Store(_mm512_mul_ps(gated, _mm512_add_ps(u, one)), count, out + i);
  }
}

void Geglu(const float* gate, const float* up, std::size_t n, float* out) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 cubic = _mm512_set1_ps(kGeluCubic);
  const __m512 slope = _mm512_set1_ps(-kGeluSlope);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m512 g = Load(gate + i, count);
    const __m512 bent = _mm512_mul_ps(g, _mm512_fmadd_ps(_mm512_mul_ps(cubic, g), g, one));
    const __m512 e = Exp(_mm512_mul_ps(slope, bent));
    const __m512 gelu = _mm512_div_ps(g, _mm512_add_ps(one, e));
    Store(_mm512_mul_ps(gelu, Load(up + i, count)), count, out + i);
  }
}

// tanh(y) = 1 - 2 / (1 + e^(2 y)).
void SoftCap(float* x, std::size_t n, float cap) {
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512 doubled = _mm512_set1_ps(2.0f / cap);
  const __m512 whole = _mm512_set1_ps(cap);
  const __m512 twice = _mm512_set1_ps(2.0f * cap);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m512 e = Exp(_mm512_mul_ps(doubled, Load(x + i, count)));
    Store(_mm512_sub_ps(whole, _mm512_div_ps(twice, _mm512_add_ps(one, e))), count, x + i);
  }
}

void Softmax(float* x, std::size_t n) {
  __m512 largest = _mm512_set1_ps(x[0]);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __mmask16 mask = MaskOf(LanesAt(i, n));
    largest = _mm512_mask_max_ps(largest, mask, _mm512_maskz_loadu_ps(mask, x + i), largest);
  }
  const __m512 max = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
  __m512d lower = _mm512_setzero_pd();
  __m512d upper = _mm512_setzero_pd();
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __mmask16 mask = MaskOf(LanesAt(i, n));
    const __m512 difference = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), max);
    const __m512 e = _mm512_maskz_mov_ps(mask, Exp(difference));
    _mm512_mask_storeu_ps(x + i, mask, e);
    lower = _mm512_add_pd(lower, LowerDoubles(e));
    upper = _mm512_add_pd(upper, UpperDoubles(e));
  }
  const double sum = _mm512_reduce_add_pd(_mm512_add_pd(lower, upper));
  const __m512 scale = _mm512_set1_ps(static_cast<float>(1.0 / sum));
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    Store(_mm512_mul_ps(Load(x + i, count), scale), count, x + i);
  }
}

void AddScaled(const float* x, float scale, std::size_t n, float* y) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    Store(_mm512_fmadd_ps(_mm512_set1_ps(scale), Load(x + i, count), Load(y + i, count)), count,
          y + i);
  }
}

void ToHalf(const float* x, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m256i halves = _mm512_cvtps_ph(Load(x + i, count), _MM_FROUND_TO_NEAREST_INT);
    _mm256_mask_storeu_epi16(out + i, MaskOf(count), halves);
  }
}

}  // namespace edgemoe::avx512
