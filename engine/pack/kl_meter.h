// SPDX-License-Identifier: Apache-2.0
//
// How far a model's output is from another's, on the same text.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"
#include "engine/pack/offline_model.h"
#include "engine/pack/text_windows.h"

namespace edgemoe {

// KL divergence is from the reference's distribution to the model's, in nats, for each scored
// position: the second half of each window, context_tokens / 2 to context_tokens - 2, whose next
// token is known; as llama-perplexity scores.
struct Quality {
  double mean_kl = 0;
  double kl_p50 = 0;
  double kl_p99 = 0;
  double kl_max = 0;
  double reference_perplexity = 0;
  double perplexity = 0;
  double same_top_fraction = 0;  // of positions where both find the same token most likely
  std::uint64_t tokens = 0;      // scored positions
};

// Called after each window with positions done and to do.
using QualityProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct PerplexityResult {
  double perplexity = 0;
  std::uint64_t tokens = 0;
};
// Of the positions that Quality speaks of. Errors as OfflineModel::RunWindow.
Result<PerplexityResult> MeasurePerplexity(OfflineModel& model, const TextWindows& windows,
                                           const QualityProgress& progress);

struct KlMeterOptions {
  // Up to here the reference's probabilities stay in memory, beyond it they lie in a file.
  std::uint64_t memory_bytes_max = 64u << 20;
  std::string scratch_directory = "/tmp";
};

// Keeps the reference's log-probabilities in 2 bytes each. A step's size grows with the square root
// of the distance from the most likely token, which is exact: at d nats from it the error is up to
// 1e-4 * sqrt(d) nats, and what is more than 32 nats away counts as that far. The sums are of
// double precision, in order of positions: results depend on the logits alone.
//
// A scratch file has no name from the moment it is open: it goes with the meter, or the process.
//
// Thread-compatible.
class KlMeter {
 public:
  // `windows` outlive the meter.
  KlMeter(const TextWindows& windows, KlMeterOptions options);

  // Positions scored.
  std::uint64_t position_count() const;
  // Bytes of the scratch file or memory that a vocabulary needs.
  std::uint64_t ReferenceBytes(std::uint32_t vocabulary_size) const;

  // Runs the reference over all windows; replaces an earlier one. Errors as RunWindow;
  // RESOURCE_EXHAUSTED: no room for the scratch file; NOT_FOUND, PERMISSION_DENIED: its folder.
  Status RecordReference(OfflineModel& model, const QualityProgress& progress);

  // FAILED_PRECONDITION when the model has another vocabulary size than the reference. Errors as
  // RunWindow. REQUIRES: a reference was recorded.
  Result<Quality> Measure(OfflineModel& model, const QualityProgress& progress);

 private:
  struct Position {
    double next_logprob = 0;  // of the token that comes next
    std::uint32_t top_token = 0;
  };

  Status OpenStore(std::uint32_t vocabulary_size);
  Status Store(std::uint64_t position, std::span<const float> logits);
  Result<std::span<const std::uint16_t>> Load(std::uint64_t position);

  const TextWindows& windows_;
  const KlMeterOptions options_;
  std::uint32_t vocabulary_size_ = 0;  // 0: no reference
  std::vector<Position> positions_;    // [position_count()]
  std::vector<std::uint16_t> steps_;   // [position_count(), vocabulary] in memory, else one row
  UniqueFd file_;
  std::vector<float> distance_of_;  // [65536], nats from the most likely token
  std::vector<float> weight_of_;    // [65536], exp(-distance)
};

}  // namespace edgemoe
