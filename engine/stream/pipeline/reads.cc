// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/reads.h"

#include <algorithm>
#include <tuple>

#include "engine/base/system/aligned_buffer.h"
#include "engine/io/block_reader.h"

namespace edgemoe {

ExpertReads LayOutReads(const ExpertExtents& extents) {
  std::array<std::size_t, kExpertRoleCount> order{0, 1, 2};
  std::ranges::sort(order, {}, [&](std::size_t role) {
    return std::tuple(extents[role].file_index, extents[role].offset, role);
  });
  ExpertReads plan;
  for (const std::size_t role : order) {
    const ExpertExtent& extent = extents[role];
    if (extent.bytes == 0) continue;
    const std::uint64_t begin = AlignDown(extent.offset, kReadAlignment);
    const std::uint64_t end = extent.offset + extent.bytes;
    ReadRun* run = plan.run_count == 0 ? nullptr : &plan.runs[plan.run_count - 1];
    if (run == nullptr || run->file_index != extent.file_index ||
        begin > run->offset + run->bytes) {
      run = &plan.runs[plan.run_count++];
      *run = {.file_index = extent.file_index, .offset = begin, .slot_offset = plan.slot_bytes};
    }
    run->bytes_needed = std::max(run->bytes_needed, end - run->offset);
    run->bytes = AlignUp(run->bytes_needed, kReadAlignment);
    plan.slot_bytes = run->slot_offset + run->bytes;
    plan.matrix_offsets[role] = run->slot_offset + (extent.offset - run->offset);
  }
  return plan;
}

}  // namespace edgemoe
