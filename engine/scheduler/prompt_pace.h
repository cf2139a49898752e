// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgemoe {

// How many tokens of a prompt a step takes. Whatever its size, a chunk reads nearly every expert
// that is not in memory, so a prompt alone takes the largest. Beside sequences that decode and wait
// for the step, a chunk computes for about as long as it waits for storage anyway: they wait at
// most twice as long as the smallest chunk would have them wait. Engine's thread.
class PromptPace {
 public:
  static constexpr std::uint32_t kSharedTokensMin = 64;

  // REQUIRES: chunk_tokens_max >= 1.
  explicit PromptPace(std::uint32_t chunk_tokens_max);

  std::uint32_t ChunkTokens(bool others_decode) const;

  // A step with `prompt_tokens` of a prompt, and how much of its time it waited for storage.
  // REQUIRES: wait_ns <= run_ns.
  void OnStep(std::size_t prompt_tokens, std::uint64_t run_ns, std::uint64_t wait_ns);

 private:
  const std::uint32_t chunk_tokens_max_;
  const std::uint32_t shared_tokens_min_;
  // Of the last steps with at least shared_tokens_min_, the newest counting half; 0: none yet.
  double wait_ns_ = 0;
  double compute_ns_per_token_ = 0;
};

}  // namespace edgemoe
