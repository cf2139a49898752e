// SPDX-License-Identifier: Apache-2.0
//
// Routing traces replayed through caches and predictors, without a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

// Runs a recorded trace (the columns of engine/trace/trace_format.h) through caches of some sizes,
// without a model: each policy with each predictor and budget.
struct ReplayOptions {
  std::string trace_path;
  // "lru", "lfu", "lfru", "edgemoe", "edgemoe-printed", "belady".
  std::vector<std::string> policies;
  std::vector<std::string> predictors;       // "none", "path", "previous-token"; empty: "none"
  std::vector<std::uint64_t> budgets_bytes;  // of the whole cache; at most 64 of each
};

// What one cache did. Uses are distinct experts of a layer in a batch. Prefetches take no time
// here: all that the predictor names for the next layer, as many as the router will, is read at
// once.
struct ReplayResult {
  std::string policy;
  std::string predictor;
  std::uint64_t budget_bytes = 0;

  std::uint64_t prefill_uses = 0;
  std::uint64_t prefill_hits = 0;
  std::uint64_t decode_tokens = 0;
  std::uint64_t decode_uses = 0;
  std::uint64_t decode_hits = 0;            // found in memory
  std::uint64_t decode_prefetch_hits = 0;   // of these, put there by a prefetch and not used before
  std::uint64_t decode_demand_bytes = 0;    // read when the router asked
  std::uint64_t prefetch_bytes = 0;         // read ahead, in decoding
  std::uint64_t prefetch_wasted_bytes = 0;  // of these, evicted or left unused

  // Of the experts that routers chose in decoding after a guess was made, how many were among its
  // first k and first 2k, where k is how many the router chose.
  std::uint64_t guess_uses = 0;
  std::uint64_t guessed_at_k = 0;
  std::uint64_t guessed_at_2k = 0;
};

// Ordered by policy, then predictor, then budget, each as in the options. INVALID_ARGUMENT names
// line, column and value of the trace, or the option and the names that are accepted; NOT_FOUND and
// PERMISSION_DENIED name the file; RESOURCE_EXHAUSTED: a trace of more than 32 Mi rows.
Result<std::vector<ReplayResult>> ReplayTrace(const ReplayOptions& options);

}  // namespace edgemoe
