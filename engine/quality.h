// SPDX-License-Identifier: Apache-2.0
//
// How far models' output is from a reference's, as a service.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/describe.h"

namespace edgemoe {

// How far models' output is from a reference's on the same text, as llama-perplexity measures it.
struct QualityOptions {
  std::vector<std::string> model_paths{};
  std::string reference_path{};        // with the same vocabulary; empty: perplexity alone
  std::string text_path{};             // UTF-8
  std::uint32_t context_tokens = 512;  // of a window; the second half of each is scored
  std::size_t windows_max = 0;         // from the beginning of the text; 0: all
  std::uint64_t memory_bytes = 0;      // of one model; 0: 3/4 of usable memory
  std::uint32_t threads = 0;           // as in EngineOptions
  std::string io_backend = "auto";     // as in EngineOptions
  std::string kernels = "auto";        // as in EngineOptions
  // For the reference's probabilities, 2 bytes for each position and token; empty: the system's.
  std::string scratch_directory{};
  const std::atomic<bool>* cancelled = nullptr;  // looked at before each layer
  // Positions of a model done and to do, after each window; on the calling thread.
  std::function<void(const std::string& path, std::uint64_t done, std::uint64_t total)> progress{};
};

struct QualityReport {
  // From the reference's distribution to the model's, in nats.
  struct Divergence {
    double mean_kl = 0;
    double kl_p50 = 0;
    double kl_p99 = 0;
    double kl_max = 0;
    double reference_perplexity = 0;
    double same_top_fraction = 0;  // of positions where both find the same token most likely
  };
  ModelDescription model;
  std::uint64_t windows = 0;
  std::uint64_t tokens = 0;  // scored positions
  double perplexity = 0;
  std::optional<Divergence> divergence;  // with a reference
  std::uint64_t memory_bytes = 0;        // of the model, as planned
  std::uint64_t expert_bytes_read = 0;   // of the model
  std::uint64_t elapsed_ns = 0;          // in the model's windows
};

// For each model; one is in memory at a time, and the reference is run once. INVALID_ARGUMENT: no
// model; a text that is not UTF-8 or is shorter than one window; a reference that tokenises it in
// another way; an option. RESOURCE_EXHAUSTED with the least memory that works, or without room for
// the scratch file. CANCELLED. DATA_LOSS: an expert cannot be read. Other errors are those of
// DescribeModel. Any thread.
Result<std::vector<QualityReport>> MeasureQuality(const QualityOptions& options);

}  // namespace edgemoe
