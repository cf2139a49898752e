// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.h"
#include "engine/options.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

// How experts are read.
struct ReadShape {
  std::size_t depth = 32;                     // reads in flight
  std::uint32_t request_bytes = 1u << 20;     // longer reads are split
  std::uint32_t read_ahead_bytes = 4u << 20;  // of guesses in flight
};

// From a probe of the storage where it pays: for experts of kProbedExpertBytesMin and more, with
// io_depth 0. Errors as ProbeStorage.
constexpr std::uint64_t kProbedExpertBytesMin = 256u << 20;
Result<ReadShape> ChooseReads(const EngineOptions& options, const ExpertLayout& layout);

}  // namespace edgemoe
