// SPDX-License-Identifier: Apache-2.0
//
// How fast a model is expected to write under a memory plan, as a service: without loading it, and
// without its weights.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/options.h"
#include "engine/plan.h"

namespace edgemoe {

struct SpeedRequest {
  // Where the experts would be read from: a file there that has its bytes, of at least 64 KiB; or a
  // folder, of whose device an earlier probe counts, or else its largest file is measured. Empty:
  // nothing is known of the storage. Of the model's own file the header alone is read.
  std::string storage_path;
  // Measures storage and computing now, whatever is kept in EngineOptions::state_directory.
  bool fresh = false;
};

enum class SpeedBound : std::uint8_t { kCompute, kStorage };

// Of one request that decodes alone, once the cache has filled.
struct ExpectedSpeed {
  double tokens_per_second = 0;
  // Where 8 of 10 measurements lie, by what earlier estimates on this machine were worth.
  double low = 0;
  double high = 0;
  SpeedBound bound = SpeedBound::kCompute;  // what takes longer
  double hit_rate = 1;                      // uses of experts found in memory, in [0, 1]
  double read_bytes_per_token = 0;          // from storage
  double compute_seconds = 0;               // of a token, with what its reads cost the processor
  double storage_seconds = 0;               // of a token: waiting for its reads
  double storage_bytes_per_second = 0;      // the best that was probed; 0: nothing is read
  // Earlier estimates that the bar comes from; 0: it is a default one.
  std::uint32_t earlier_count = 0;
};

// `options`: as for PlanMemory; `plan`: what that gave. What has to be measured and is not kept
// takes about a second and a half; otherwise milliseconds. What was measured is kept in
// options.state_directory, unless that is empty or cannot be written.
//
// FAILED_PRECONDITION: the plan does not fit; the mode is not "edgemoe" or the storage a modelled
// one; or experts have to be read, and request.storage_path is empty or a folder without a file
// that could be measured. Others as PlanMemory's and ProbeStorage's. Thread-safe.
Result<ExpectedSpeed> ExpectSpeed(const EngineOptions& options, const MemoryPlan& plan,
                                  const SpeedRequest& request);

}  // namespace edgemoe
