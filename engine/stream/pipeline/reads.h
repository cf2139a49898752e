// SPDX-License-Identifier: Apache-2.0
//
// How an expert's extents become aligned reads into one slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/stream/expert_layout.h"

namespace edgemoe {

// One contiguous range of whole blocks that is read into one contiguous part of the slot.
struct ReadRun {
  std::uint32_t file_index = 0;
  std::uint64_t offset = 0;        // in the file, aligned
  std::uint64_t bytes = 0;         // whole blocks
  std::uint64_t bytes_needed = 0;  // the last matrix ends here; the file may, too
  std::uint64_t slot_offset = 0;   // aligned
};

struct ExpertReads {
  std::array<ReadRun, kExpertRoleCount> runs{};  // the first run_count
  std::size_t run_count = 0;
  std::uint64_t slot_bytes = 0;
  std::array<std::uint64_t, kExpertRoleCount> matrix_offsets{};  // in the slot, by role
};

// Rounds each extent outwards to blocks; extents whose blocks touch or overlap share a run, so a
// record of a pack is one run. Runs are in file order. Extents of 0 bytes give no run.
ExpertReads LayOutReads(const ExpertExtents& extents);

}  // namespace edgemoe
