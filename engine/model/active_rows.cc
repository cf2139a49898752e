// SPDX-License-Identifier: Apache-2.0
#include "engine/model/active_rows.h"

#include <algorithm>
#include <numeric>

namespace edgemoe {

ActiveRows::ActiveRows(std::uint32_t rows_max) : origins_(rows_max) {}

void ActiveRows::Start(std::span<const BatchRow> rows, std::span<RowResult> results) {
  rows_ = rows;
  results_ = results;
  count_ = rows.size();
  any_failed_ = false;
  std::iota(origins_.begin(), origins_.begin() + static_cast<std::ptrdiff_t>(count_), 0U);
  for (RowResult& result : results) result = RowResult();
}

void ActiveRows::Fail(std::size_t i, const Status& status) {
  any_failed_ = true;
  const SequenceState* const sequence = row(i).sequence;
  for (std::size_t r = origin(i); r < rows_.size() && rows_[r].sequence == sequence; ++r) {
    if (results_[r].status.ok()) results_[r].status = status;
  }
}

void ActiveRows::FailCancelled() {
  for (std::size_t i = 0; i < count_; ++i) {
    const std::atomic<bool>* const cancelled = row(i).cancelled;
    if (cancelled == nullptr || !cancelled->load(std::memory_order_relaxed)) continue;
    if (result(i).status.ok()) Fail(i, CancelledError("the request was cancelled"));
  }
}

void ActiveRows::Compact(float* x, std::size_t width) {
  if (!any_failed_) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!result(i).status.ok()) continue;
    if (kept != i) {
      std::copy_n(x + i * width, width, x + kept * width);
      origins_[kept] = origins_[i];
    }
    ++kept;
  }
  count_ = kept;
  any_failed_ = false;
}

}  // namespace edgemoe
