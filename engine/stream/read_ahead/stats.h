// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace edgemoe {

// What guesses of the next layer's experts were worth. An expert counts as used when the layer that
// it was read for asked for it.
struct ReadAheadStats {
  // Experts asked for by layers with guesses, and how many of them were among each row's first k
  // guesses, and first 2k, where k is how many experts a row uses: recall at k and at 2k.
  std::uint64_t wanted = 0;
  std::uint64_t guessed_at_k = 0;
  std::uint64_t guessed_at_2k = 0;
  std::uint64_t used_experts = 0;
  std::uint64_t used_bytes = 0;
  std::uint64_t wasted_experts = 0;
  std::uint64_t wasted_bytes = 0;
  // Time for which used reads had been under way, or done, before they were asked for: what waiting
  // for them one by one would have cost; reads overlap, so that less was saved.
  std::uint64_t saved_ns = 0;
  std::uint64_t trials = 0;  // comparisons of steps with and without reading ahead
  bool on = false;           // now
};

}  // namespace edgemoe
