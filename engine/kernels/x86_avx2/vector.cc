// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/activation_constants.h"
#include "engine/kernels/kernel_functions.h"
#include "engine/kernels/x86_avx2/simd.h"

namespace edgemoe::avx2 {
namespace {

constexpr std::size_t kLanes = 8;

// e^x to about one unit in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, a Taylor polynomial
// of degree 7 for e^r (truncation below 2^-27), then 2^n into the exponent. Above 88 the result
// stays at e^88; where e^x would be subnormal it is zero. NaN stays NaN.
__m256 Exp(__m256 x) {
  const __m256 lowest = _mm256_set1_ps(-87.3365f);
  const __m256 normal = _mm256_cmp_ps(x, lowest, _CMP_NLT_UQ);
  x = _mm256_max_ps(lowest, _mm256_min_ps(_mm256_set1_ps(88.0f), x));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  // ln 2 in two parts; n times the first is exact.
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.62e4p-1f), x);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.7f7d1cp-20f), r);
  __m256 p = _mm256_set1_ps(1.0f / 5040);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 720));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
  p = _mm256_fmadd_ps(_mm256_mul_ps(r, r), p, r);
  p = _mm256_add_ps(p, _mm256_set1_ps(1.0f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  p = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
  return _mm256_and_ps(p, normal);
}

__m256 Load(const float* from, std::size_t count) {
  return count == kLanes ? _mm256_loadu_ps(from) : LoadSome(from, count);
}
void Store(__m256 v, std::size_t count, float* to) {
  if (count == kLanes) {
    _mm256_storeu_ps(to, v);
  } else {
    StoreSome(v, count, to);
  }
}
std::size_t LanesAt(std::size_t i, std::size_t n) { return n - i < kLanes ? n - i : kLanes; }

__m256d LowerDoubles(__m256 v) { return _mm256_cvtps_pd(_mm256_castps256_ps128(v)); }
__m256d UpperDoubles(__m256 v) { return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)); }

}  // namespace

void RmsNorm(const float* x, const float* weight, std::size_t n, float epsilon, float* out) {
  __m256d lower = _mm256_setzero_pd();
  __m256d upper = _mm256_setzero_pd();
  for (std::size_t i = 0; i < n; i += kLanes) {
    const __m256 v = Load(x + i, LanesAt(i, n));
    lower = _mm256_fmadd_pd(LowerDoubles(v), LowerDoubles(v), lower);
    upper = _mm256_fmadd_pd(UpperDoubles(v), UpperDoubles(v), upper);
  }
  const double mean = Sum(_mm256_add_pd(lower, upper)) / static_cast<double>(n);
  const __m128d root = _mm_sqrt_pd(_mm_set1_pd(mean + static_cast<double>(epsilon)));
  const __m256 scale = _mm256_set1_ps(static_cast<float>(1.0 / _mm_cvtsd_f64(root)));
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m256 scaled = _mm256_mul_ps(Load(x + i, count), scale);
    Store(_mm256_mul_ps(scaled, Load(weight + i, count)), count, out + i);
  }
}

void RopeNeox(float* head, std::size_t head_size, const float* cosines, const float* sines) {
  const std::size_t half = head_size / 2;
  for (std::size_t i = 0; i < half; i += kLanes) {
    const std::size_t count = LanesAt(i, half);
    const __m256 a = Load(head + i, count);
    const __m256 b = Load(head + half + i, count);
    const __m256 cosine = Load(cosines + i, count);
    const __m256 sine = Load(sines + i, count);
    Store(_mm256_fmsub_ps(a, cosine, _mm256_mul_ps(b, sine)), count, head + i);
    Store(_mm256_fmadd_ps(a, sine, _mm256_mul_ps(b, cosine)), count, head + half + i);
  }
}

void Swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const __m256 one = _mm256_set1_ps(1.0f);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m256 g = Load(gate + i, count);
    const __m256 e = Exp(_mm256_xor_ps(g, _mm256_set1_ps(-0.0f)));
    const __m256 silu = _mm256_div_ps(g, _mm256_add_ps(one, e));
    Store(_mm256_mul_ps(silu, Load(up + i, count)), count, out + i);
  }
}

void ClampedSwiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 limit = _mm256_set1_ps(kSwigluLimit);
  const __m256 lowest = _mm256_set1_ps(-kSwigluLimit);
  const __m256 sharpness = _mm256_set1_ps(-kSwigluSharpness);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    // The second operand is given where either is NaN.
    const __m256 g = _mm256_min_ps(limit, Load(gate + i, count));
    const __m256 u = _mm256_max_ps(lowest, _mm256_min_ps(limit, Load(up + i, count)));
    const __m256 e = Exp(_mm256_mul_ps(sharpness, g));
    const __m256 gated = _mm256_div_ps(g, _mm256_add_ps(one, e));
    Store(_mm256_mul_ps(gated, _mm256_add_ps(u, one)), count, out + i);
  }
}

void Geglu(const float* gate, const float* up, std::size_t n, float* out) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 cubic = _mm256_set1_ps(kGeluCubic);
  const __m256 slope = _mm256_set1_ps(-kGeluSlope);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m256 g = Load(gate + i, count);
    const __m256 bent = _mm256_mul_ps(g, _mm256_fmadd_ps(_mm256_mul_ps(cubic, g), g, one));
    const __m256 e = Exp(_mm256_mul_ps(slope, bent));
    const __m256 gelu = _mm256_div_ps(g, _mm256_add_ps(one, e));
    Store(_mm256_mul_ps(gelu, Load(up + i, count)), count, out + i);
  }
}

// tanh(y) = 1 - 2 / (1 + e^(2 y)).
void SoftCap(float* x, std::size_t n, float cap) {
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 doubled = _mm256_set1_ps(2.0f / cap);
  const __m256 whole = _mm256_set1_ps(cap);
  const __m256 twice = _mm256_set1_ps(2.0f * cap);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m256 e = Exp(_mm256_mul_ps(doubled, Load(x + i, count)));
    Store(_mm256_sub_ps(whole, _mm256_div_ps(twice, _mm256_add_ps(one, e))), count, x + i);
  }
}

void Softmax(float* x, std::size_t n) {
  __m256 largest = _mm256_set1_ps(x[0]);
  std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    largest = _mm256_max_ps(_mm256_loadu_ps(x + i), largest);
  }
  float max = Largest(largest);
  for (std::size_t i = whole; i < n; ++i) max = x[i] > max ? x[i] : max;
  __m256d lower = _mm256_setzero_pd();
  __m256d upper = _mm256_setzero_pd();
  double rest = 0;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m256 e = Exp(_mm256_sub_ps(Load(x + i, count), _mm256_set1_ps(max)));
    Store(e, count, x + i);
    if (count == kLanes) {
      lower = _mm256_add_pd(lower, LowerDoubles(e));
      upper = _mm256_add_pd(upper, UpperDoubles(e));
    } else {
      for (std::size_t j = i; j < n; ++j) rest += static_cast<double>(x[j]);
    }
  }
  const double sum = Sum(_mm256_add_pd(lower, upper)) + rest;
  const __m256 scale = _mm256_set1_ps(static_cast<float>(1.0 / sum));
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    Store(_mm256_mul_ps(Load(x + i, count), scale), count, x + i);
  }
}

void AddScaled(const float* x, float scale, std::size_t n, float* y) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    Store(_mm256_fmadd_ps(_mm256_set1_ps(scale), Load(x + i, count), Load(y + i, count)), count,
          y + i);
  }
}

void ToHalf(const float* x, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const __m128i halves = _mm256_cvtps_ph(Load(x + i, count), _MM_FROUND_TO_NEAREST_INT);
    std::memcpy(out + i, &halves, count * sizeof(std::uint16_t));
  }
}

}  // namespace edgemoe::avx2
