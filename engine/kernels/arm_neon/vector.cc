// SPDX-License-Identifier: Apache-2.0
#include "engine/kernels/activation_constants.h"
#include "engine/kernels/arm_neon/simd.h"
#include "engine/kernels/kernel_functions.h"

namespace edgemoe::neon {
namespace {

// e^x to about one unit in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, a Taylor polynomial
// of degree 7 for e^r (truncation below 2^-27), then 2^n into the exponent. Above 88 the result
// stays at e^88; where e^x would be subnormal it is zero. NaN stays NaN.
float32x4_t Exp(float32x4_t x) {
  const float32x4_t lowest = vdupq_n_f32(-87.3365f);
  const uint32x4_t vanishes = vcltq_f32(x, lowest);
  x = vmaxq_f32(lowest, vminq_f32(vdupq_n_f32(88.0f), x));
  const float32x4_t n = vrndnq_f32(vmulq_n_f32(x, 1.44269504f));
  // ln 2 in two parts; n times the first is exact.
  float32x4_t r = vfmsq_n_f32(x, n, 0x1.62e4p-1f);
  r = vfmsq_n_f32(r, n, 0x1.7f7d1cp-20f);
  float32x4_t p = vdupq_n_f32(1.0f / 5040);
  p = vfmaq_f32(vdupq_n_f32(1.0f / 720), p, r);
  p = vfmaq_f32(vdupq_n_f32(1.0f / 120), p, r);
  p = vfmaq_f32(vdupq_n_f32(1.0f / 24), p, r);
  p = vfmaq_f32(vdupq_n_f32(1.0f / 6), p, r);
  p = vfmaq_f32(vdupq_n_f32(0.5f), p, r);
  p = vfmaq_f32(r, vmulq_f32(r, r), p);
  p = vaddq_f32(p, vdupq_n_f32(1.0f));
  const int32x4_t exponent = vshlq_n_s32(vcvtnq_s32_f32(n), 23);
  p = vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), exponent));
  return vbslq_f32(vanishes, vdupq_n_f32(0), p);
}

float64x2_t LowerDoubles(float32x4_t v) { return vcvt_f64_f32(vget_low_f32(v)); }
float64x2_t UpperDoubles(float32x4_t v) { return vcvt_high_f64_f32(v); }

}  // namespace

void RmsNorm(const float* x, const float* weight, std::size_t n, float epsilon, float* out) {
  float64x2_t lower = vdupq_n_f64(0);
  float64x2_t upper = vdupq_n_f64(0);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const float32x4_t v = Load(x + i, LanesAt(i, n));
    lower = vfmaq_f64(lower, LowerDoubles(v), LowerDoubles(v));
    upper = vfmaq_f64(upper, UpperDoubles(v), UpperDoubles(v));
  }
  const double mean = vaddvq_f64(vaddq_f64(lower, upper)) / static_cast<double>(n);
  const double root = __builtin_sqrt(mean + static_cast<double>(epsilon));
  const auto scale = static_cast<float>(1.0 / root);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t scaled = vmulq_n_f32(Load(x + i, count), scale);
    Store(vmulq_f32(scaled, Load(weight + i, count)), count, out + i);
  }
}

void RopeNeox(float* head, std::size_t head_size, const float* cosines, const float* sines) {
  const std::size_t half = head_size / 2;
  for (std::size_t i = 0; i < half; i += kLanes) {
    const std::size_t count = LanesAt(i, half);
    const float32x4_t a = Load(head + i, count);
    const float32x4_t b = Load(head + half + i, count);
    const float32x4_t cosine = Load(cosines + i, count);
    const float32x4_t sine = Load(sines + i, count);
    Store(vfmsq_f32(vmulq_f32(a, cosine), b, sine), count, head + i);
    Store(vfmaq_f32(vmulq_f32(a, sine), b, cosine), count, head + half + i);
  }
}

void Swiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const float32x4_t one = vdupq_n_f32(1.0f);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t g = Load(gate + i, count);
    const float32x4_t silu = vdivq_f32(g, vaddq_f32(one, Exp(vnegq_f32(g))));
    Store(vmulq_f32(silu, Load(up + i, count)), count, out + i);
  }
}

void ClampedSwiglu(const float* gate, const float* up, std::size_t n, float* out) {
  const float32x4_t one = vdupq_n_f32(1.0f);
  const float32x4_t limit = vdupq_n_f32(kSwigluLimit);
  const float32x4_t lowest = vdupq_n_f32(-kSwigluLimit);
  const float32x4_t sharpness = vdupq_n_f32(-kSwigluSharpness);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t g = vminq_f32(limit, Load(gate + i, count));
    const float32x4_t u = vmaxq_f32(lowest, vminq_f32(limit, Load(up + i, count)));
    const float32x4_t gated = vdivq_f32(g, vaddq_f32(one, Exp(vmulq_f32(sharpness, g))));
    Store(vmulq_f32(gated, vaddq_f32(u, one)), count, out + i);
  }
}

void Geglu(const float* gate, const float* up, std::size_t n, float* out) {
  const float32x4_t one = vdupq_n_f32(1.0f);
  const float32x4_t slope = vdupq_n_f32(-kGeluSlope);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t g = Load(gate + i, count);
    const float32x4_t bent = vmulq_f32(g, vfmaq_f32(one, vmulq_n_f32(g, kGeluCubic), g));
    const float32x4_t gelu = vdivq_f32(g, vaddq_f32(one, Exp(vmulq_f32(slope, bent))));
    Store(vmulq_f32(gelu, Load(up + i, count)), count, out + i);
  }
}

// tanh(y) = 1 - 2 / (1 + e^(2 y)).
void SoftCap(float* x, std::size_t n, float cap) {
  const float32x4_t one = vdupq_n_f32(1.0f);
  const float32x4_t whole = vdupq_n_f32(cap);
  const float32x4_t twice = vdupq_n_f32(2.0f * cap);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t e = Exp(vmulq_n_f32(Load(x + i, count), 2.0f / cap));
    Store(vsubq_f32(whole, vdivq_f32(twice, vaddq_f32(one, e))), count, x + i);
  }
}

void Softmax(float* x, std::size_t n) {
  float max = x[0];
  for (std::size_t i = 1; i < n; ++i) max = x[i] > max ? x[i] : max;
  double sum = 0;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float32x4_t e = Exp(vsubq_f32(Load(x + i, count), vdupq_n_f32(max)));
    Store(e, count, x + i);
    for (std::size_t j = i; j < i + count; ++j) sum += static_cast<double>(x[j]);
  }
  const auto scale = static_cast<float>(1.0 / sum);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    Store(vmulq_n_f32(Load(x + i, count), scale), count, x + i);
  }
}

void AddScaled(const float* x, float scale, std::size_t n, float* y) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    Store(vfmaq_n_f32(Load(y + i, count), Load(x + i, count), scale), count, y + i);
  }
}

void ToHalf(const float* x, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = LanesAt(i, n);
    const float16x4_t halves = vcvt_f16_f32(Load(x + i, count));
    std::memcpy(out + i, &halves, count * sizeof(std::uint16_t));
  }
}

}  // namespace edgemoe::neon
