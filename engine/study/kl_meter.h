// SPDX-License-Identifier: Apache-2.0
//
// How far a model's output is from another's, on the same text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"
#include "engine/study/offline_model.h"
#include "engine/study/text_windows.h"

namespace edgemoe {

// KL divergence is from the reference's distribution to the model's, in nats, for each scored
// position: the second half of each window, context_tokens / 2 to context_tokens - 2, whose next
// token is known; as llama-perplexity scores.
struct Quality {
  double mean_kl = 0;
  double kl_p50 = 0;  // quantiles between two positions are interpolated
  double kl_p99 = 0;
  double kl_max = 0;
  double reference_perplexity = 0;
  double perplexity = 0;
  double same_top_fraction = 0;  // of positions where both find the same token most likely
  std::uint64_t tokens = 0;      // scored positions
};

// Called after each window with positions done and to do.
using QualityProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

std::uint64_t ScoredPositionCount(const TextWindows& windows);

// Of the positions that Quality speaks of. Errors as OfflineModel::RunWindow; INTERNAL: a logit is
// no finite number.
Result<double> MeasurePerplexity(OfflineModel& model, const TextWindows& windows,
                                 const QualityProgress& progress = {});

struct KlMeterOptions {
  // Up to here the reference's probabilities stay in memory, beyond it they lie in a file.
  std::uint64_t memory_bytes_max = 64u << 20;
  std::string scratch_directory = "/tmp";
};

// Keeps the reference's log-probabilities in 2 bytes each. Steps grow with the square root of the
// distance from the most likely token, which is exact: at d nats from it the error is at most
// 1e-4 * sqrt(d) nats, and what is more than 32 nats away counts as that far. A distribution
// against itself gives less than 1e-7, any other KL is off by less than 1e-5. Sums are of double
// precision, in order of positions: results depend on the logits alone.
//
// A scratch file has no name from the moment it is open: it goes with the meter, or the process.
//
// Thread-compatible.
class KlMeter {
 public:
  // `windows` outlive the meter. REQUIRES: at least one window, of kWindowTokensMin tokens or more.
  explicit KlMeter(const TextWindows& windows, KlMeterOptions options = {});

  // Bytes of memory or scratch file for a vocabulary of this size.
  std::uint64_t ReferenceBytes(std::uint32_t vocabulary_size) const;

  // Runs the reference over all windows; replaces an earlier one. Errors as RunWindow;
  // RESOURCE_EXHAUSTED: no room for the scratch file; NOT_FOUND, PERMISSION_DENIED: its folder.
  // INTERNAL: a logit is no finite number.
  Status RecordReference(OfflineModel& model, const QualityProgress& progress = {});

  // FAILED_PRECONDITION when the model's vocabulary has another size than the reference's, or no
  // reference was recorded. Errors as RunWindow; INTERNAL as RecordReference; DATA_LOSS: the
  // scratch file.
  Result<Quality> Measure(OfflineModel& model, const QualityProgress& progress = {});

 private:
  struct Position {
    double next_logprob = 0;  // of the token that comes next
    std::size_t top_token = 0;
  };

  Status OpenStore(std::uint32_t vocabulary_size);
  Status Store(std::uint64_t position, std::span<const float> logits);
  // The steps [vocabulary] of a position; valid until the next call.
  Result<const std::uint16_t*> Load(std::uint64_t position);
  double DivergenceOf(const std::uint16_t* steps, std::span<const float> logits) const;

  const TextWindows& windows_;
  const KlMeterOptions options_;
  std::uint32_t vocabulary_size_ = 0;  // 0: no reference
  std::vector<Position> positions_;    // [positions]
  UniqueFd file_;                      // none: all steps are in memory
  std::vector<std::uint16_t> steps_;   // [position_count(), vocabulary]; with a file one row
  std::vector<float> distances_;       // [65536], nats from the most likely token, by step
  std::vector<float> weights_;         // [65536], exp(-distance)
};

}  // namespace edgemoe
