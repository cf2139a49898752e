// SPDX-License-Identifier: Apache-2.0
//
// Measures how fast this machine computes: memory, matrix products of one token, and what it costs
// to share work among threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/kernels/kernel_table.h"
#include "engine/parallel/compute_pool.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

// What was measured is true of.
struct ComputeKey {
  std::string processor;
  std::string kernels;  // the table's name
  std::uint32_t threads = 0;
  bool operator==(const ComputeKey&) const = default;
};

// Matrix products of one token by all threads: bytes of weights a second.
struct ComputeRate {
  TensorType type = TensorType::kF32;
  double memory_bytes_per_second = 0;  // the weights come from memory
  double cache_bytes_per_second = 0;   // from the last level of cache
};

struct ComputeProbe {
  ComputeKey key;
  double read_bytes_per_second = 0;  // memory, read by all threads
  double loop_seconds = 0;           // of a ParallelFor with next to nothing to do
  std::uint64_t cache_bytes = 0;     // of the last level
  std::vector<ComputeRate> rates;    // one a type that was measured

  // Null: the type was not measured.
  const ComputeRate* RateOf(TensorType type) const;
};

struct ComputeLimits {
  std::uint64_t type_ns = 60'000'000;  // about so long for each type, twice
  std::uint32_t passes_min = 3;
};

// The most that a measurement takes for its duration.
constexpr std::uint64_t kComputeProbeBytes = std::uint64_t{64} << 20;

// Measures memory and loops, and each of `types` that can be computed with: medians of passes, so
// that what else the machine does slows the figures as it slows decoding. Weights are of one value;
// kernels do not look at it.
//
// Uses up to kComputeProbeBytes for the call's duration; RESOURCE_EXHAUSTED for these.
Result<ComputeProbe> MeasureCompute(const KernelTable& kernels, ComputePool& pool,
                                    std::span<const TensorType> types, const Clock& clock,
                                    const ComputeLimits& limits = {});

}  // namespace edgemoe
