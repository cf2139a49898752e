// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/quant/block_codecs.h"
#include "engine/quant/search/search_weights.h"
#include "engine/quant/search/weighted_symmetric_search.h"

namespace edgemoe::quant {
namespace {

constexpr std::size_t kSubBlock = 16;
constexpr std::size_t kSubBlockCount = kSuperBlock / kSubBlock;
constexpr float kLevelMin = -32, kLevelMax = 31;
constexpr int kScaleMin = -128, kScaleMax = 127;
constexpr int kGridSteps = 13;
constexpr float kGridFirst = -0.9f, kGridStep = 0.15f;  // added to the extreme's level
constexpr int kRounds = 3;

using Found = SymmetricSuperBlock<kSubBlock>;

constexpr SymmetricFormat<IntegerLevels> kFormat = {{kLevelMin, kLevelMax}, kScaleMin, kScaleMax,
                                                    {0.8f, 0.025f, 28, 2},  2,         3};

struct Run {  // one sub-block
  const float* x;
  const float* w;
};

// Assigns the levels nearest to multiples of `scale`; gives the weighted squared error.
float Assign(const Run& run, float scale, std::int8_t* q) {
  const float inverse = scale != 0 ? FiniteOrZero(1 / scale) : 0;
  float error = 0;
  for (std::size_t i = 0; i < kSubBlock; ++i) {
    const float level = std::floor(std::clamp(run.x[i] * inverse, kLevelMin, kLevelMax) + 0.5f);
    const float miss = scale * level - run.x[i];
    error += run.w[i] * miss * miss;
    q[i] = static_cast<std::int8_t>(level);
  }
  return error;
}

float Refit(const Run& run, const std::int8_t* q, float fallback) {
  float wqq = 0, wxq = 0;
  for (std::size_t i = 0; i < kSubBlock; ++i) {
    const float level = q[i];
    wqq += run.w[i] * level * level;
    wxq += run.w[i] * run.x[i] * level;
  }
  return wqq > 0 && std::isfinite(wxq / wqq) ? wxq / wqq : fallback;
}

float FitSubBlock(const Run& run) {
  float extreme = 0;
  for (std::size_t i = 0; i < kSubBlock; ++i)
    if (std::fabs(run.x[i]) > std::fabs(extreme)) extreme = run.x[i];
  if (extreme == 0) return 0;
  float best = 0, best_error = std::numeric_limits<float>::infinity();
  std::int8_t q[kSubBlock];
  for (int step = 0; step < kGridSteps; ++step) {
    float scale = extreme / (kLevelMin + kGridFirst + kGridStep * static_cast<float>(step));
    for (int refit = 0; refit < 2; ++refit) {
      const float error = Assign(run, scale, q);
      if (error < best_error) {
        best_error = error;
        best = scale;
      }
      scale = Refit(run, q, scale);
    }
  }
  return best;
}

// Picks the integer for a sub-block's scale: the rounded one or a neighbour. Gives the error.
float ChooseInteger(const Run& run, float target, float d, std::int8_t* scale, std::int8_t* q) {
  const float center =
      d != 0 ? std::clamp(target / d, static_cast<float>(kScaleMin), static_cast<float>(kScaleMax))
             : 0;
  const int rounded = static_cast<int>(std::lround(center));
  float best_error = std::numeric_limits<float>::infinity();
  std::int8_t levels[kSubBlock];
  for (int s = std::max(rounded - 1, kScaleMin); s <= std::min(rounded + 1, kScaleMax); ++s) {
    const float error = Assign(run, d * static_cast<float>(s), levels);
    if (error >= best_error) continue;
    best_error = error;
    *scale = static_cast<std::int8_t>(s);
    std::copy(levels, levels + kSubBlock, q);
  }
  return best_error;
}

float RefitUnit(const SearchInput& input, const Found& block, float fallback) {
  double aa = 0, ax = 0;
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const double a = block.scales[i / kSubBlock] * block.q[i];
    aa += input.w[i] * a * a;
    ax += input.w[i] * a * input.x[i];
  }
  return aa > 0 ? static_cast<float>(ax / aa) : fallback;
}

Found SearchSymmetric(const float x[kSuperBlock]) {
  const SearchInput input = MakeSearchInput(x);
  std::array<float, kSubBlockCount> scales;
  float extreme = 0;
  for (std::size_t s = 0; s < kSubBlockCount; ++s) {
    scales[s] = FitSubBlock({&input.x[s * kSubBlock], &input.w[s * kSubBlock]});
    if (std::fabs(scales[s]) > std::fabs(extreme)) extreme = scales[s];
  }
  float d = extreme / kScaleMin;
  Found best;
  float best_error = std::numeric_limits<float>::infinity();
  for (int round = 0; round < kRounds; ++round) {
    Found block;
    block.d = round == 0 ? ScaleToHalfOutwards(d) : ScaleToHalf(d);
    float error = 0;
    for (std::size_t s = 0; s < kSubBlockCount; ++s) {
      const std::size_t at = s * kSubBlock;
      error += ChooseInteger({&input.x[at], &input.w[at]}, scales[s], HalfToFloat(block.d),
                             &block.scales[s], &block.q[at]);
    }
    if (error >= best_error) break;
    best_error = error;
    best = block;
    d = RefitUnit(input, block, d);
  }
  return best;
}

}  // namespace

void EncodeBlock(const float x[kSuperBlock], const float* w, BlockQ6_K* block) {
  const Found found = w == nullptr
                          ? SearchSymmetric(x)
                          : SearchSymmetric<kSubBlock>(WeightedBlock<kSuperBlock>(x, w), kFormat);
  block->d = found.d;
  std::copy(found.scales.begin(), found.scales.end(), block->scales);
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < 32; ++i) {
      std::array<int, 4> q;
      for (std::size_t k = 0; k < 4; ++k) q[k] = found.q[128 * half + 32 * k + i] + 32;
      std::uint8_t* ql = block->ql + 64 * half;
      ql[i] = static_cast<std::uint8_t>((q[0] & 15) | (q[2] & 15) << 4);
      ql[i + 32] = static_cast<std::uint8_t>((q[1] & 15) | (q[3] & 15) << 4);
      block->qh[32 * half + i] = static_cast<std::uint8_t>(q[0] >> 4 | (q[1] >> 4) << 2 |
                                                           (q[2] >> 4) << 4 | (q[3] >> 4) << 6);
    }
  }
}

void DecodeBlock(const BlockQ6_K& block, float out[kSuperBlock]) {
  const float d = HalfToFloat(block.d);
  for (std::size_t i = 0; i < kSuperBlock; ++i) {
    const std::size_t half = i / 128, k = i % 128 / 32, column = i % 32;
    const int low = block.ql[64 * half + 32 * (k % 2) + column] >> (k < 2 ? 0 : 4) & 15;
    const int high = block.qh[32 * half + column] >> 2 * k & 3;
    const float scale = d * static_cast<float>(block.scales[i / kSubBlock]);
    out[i] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

}  // namespace edgemoe::quant
