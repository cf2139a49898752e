// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/routing.h"
#include "engine/trace/trace_format.h"

namespace edgemoe {

// The tokens that ran through one layer together.
struct TraceBatch {
  ExpertLayerIndex layer;
  bool begins_step = false;  // the first layer of a pass through the model
  std::size_t row_begin = 0;
  std::size_t row_end = 0;
};

// A trace in memory, in the order in which it was recorded. Move-only: rows point at choices.
struct RoutingTrace {
  RoutingTrace() = default;
  RoutingTrace(RoutingTrace&&) = default;
  RoutingTrace& operator=(RoutingTrace&&) = default;

  std::span<const RoutedRow> RowsOf(const TraceBatch& batch) const {
    return std::span(rows).subspan(batch.row_begin, batch.row_end - batch.row_begin);
  }
  std::uint32_t layer_count() const {
    return static_cast<std::uint32_t>(description.expert_bytes.size());
  }

  TraceDescription description;
  std::vector<TraceBatch> batches;
  std::vector<RoutedRow> rows;  // requests are turns + 1; slots are given as turns come and go
  std::vector<ExpertChoice> choices;
  std::uint32_t sessions_max = 1;  // turns that ran at once
  std::uint64_t decode_tokens = 0;
};

}  // namespace edgemoe
