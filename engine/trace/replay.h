// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/cache/eviction_policy.h"
#include "engine/predict/predictor.h"
#include "engine/trace/routing_trace.h"

namespace edgemoe {

// What one cache did. Uses are distinct experts of a layer in a batch, decode uses those that a
// decoded token chose.
struct ReplayCounts {
  std::uint64_t prefill_uses = 0;
  std::uint64_t prefill_hits = 0;
  std::uint64_t decode_uses = 0;
  std::uint64_t decode_hits = 0;            // found in memory
  std::uint64_t decode_prefetch_hits = 0;   // of these, read ahead and not used before
  std::uint64_t decode_demand_bytes = 0;    // read when the router asked
  std::uint64_t prefetch_bytes = 0;         // read ahead, after a decoded token's guess
  std::uint64_t prefetch_wasted_bytes = 0;  // of these, evicted or left without a use
  // Of the experts that decoded tokens chose after a guess, those among its first k and first 2k,
  // where k is how many the token chose.
  std::uint64_t guess_uses = 0;
  std::uint64_t guessed_at_k = 0;
  std::uint64_t guessed_at_2k = 0;
};

// Runs a trace through one cache without a model. One policy sees all experts, under one budget in
// bytes; an expert costs its layer's size. For each batch of a layer: its experts are looked up
// together, the missing ones inserted, then others evicted until the budget holds. With a predictor
// (or null), what it guesses for each decoded token's next layer, as many as the token chose in
// this one, is read ahead at once: prefetches take no time here. The policy and the predictor are
// fresh ones, made for the trace's shape. A budget below one layer's demand is overrun by what that
// layer needs.
ReplayCounts Replay(const RoutingTrace& trace, EvictionPolicy& policy, Predictor* predictor,
                    std::uint64_t budget_bytes);

PolicyShape PolicyShapeOf(const RoutingTrace& trace);

}  // namespace edgemoe
