// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/prompt_pace.h"

#include <algorithm>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

double Smoothed(double before, double now) { return before == 0 ? now : (before + now) / 2; }

}  // namespace

PromptPace::PromptPace(std::uint32_t chunk_tokens_max)
    : chunk_tokens_max_(chunk_tokens_max),
      shared_tokens_min_(std::min(kSharedTokensMin, chunk_tokens_max)) {
  EDGEMOE_CHECK(chunk_tokens_max >= 1, "a chunk has a token");
}

std::uint32_t PromptPace::ChunkTokens(bool others_decode) const {
  if (!others_decode) return chunk_tokens_max_;
  if (compute_ns_per_token_ == 0) return shared_tokens_min_;
  const double tokens = wait_ns_ / compute_ns_per_token_;
  return static_cast<std::uint32_t>(
      std::clamp<double>(tokens, shared_tokens_min_, chunk_tokens_max_));
}

void PromptPace::OnStep(std::size_t prompt_tokens, std::uint64_t run_ns, std::uint64_t wait_ns) {
  // A short rest of a prompt reads fewer experts.
  if (prompt_tokens < shared_tokens_min_) return;
  const auto tokens = static_cast<double>(prompt_tokens);
  wait_ns_ = Smoothed(wait_ns_, static_cast<double>(wait_ns));
  compute_ns_per_token_ =
      Smoothed(compute_ns_per_token_, static_cast<double>(run_ns - wait_ns) / tokens);
}

}  // namespace edgemoe
