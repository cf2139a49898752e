// SPDX-License-Identifier: Apache-2.0
//
// EngineOptions::io_faults: what goes wrong with reads, for tests and for trying out slow storage.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/io/block_reader.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

struct IoFaults {
  struct ReadErrors {
    std::uint64_t after = 0;  // reads that succeed first
    std::uint64_t count = 1;  // reads that fail then
  };
  std::vector<ReadErrors> read_errors;
  std::vector<ExpertKey> unreadable;   // each read of these fails
  std::uint64_t short_read_every = 0;  // on average; 0: none
  std::uint64_t slow_ms = 0;           // more time for each read

  bool empty() const {
    return read_errors.empty() && unreadable.empty() && short_read_every == 0 && slow_ms == 0;
  }
};

// INVALID_ARGUMENT names the part that is wrong and what would be accepted.
Result<IoFaults> ParseIoFaults(std::string_view text);

// Wraps `reader`; gives it back as it is when there are no faults. INVALID_ARGUMENT for an expert
// that the layout does not have. `clock` outlives the result.
Result<std::unique_ptr<BlockReader>> AddFaults(std::unique_ptr<BlockReader> reader,
                                               const IoFaults& faults, const ExpertLayout& layout,
                                               const Clock& clock);

}  // namespace edgemoe
