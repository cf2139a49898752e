// SPDX-License-Identifier: Apache-2.0
//
// The rows of a step that still run. Cancelled and failed rows are dropped between layers, and the
// others move together, so that a layer always sees a dense batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/batch.h"

namespace edgemoe {

// Engine's thread. "Active row i" is a place in the dense batch; origin(i) is its row in the step.
class ActiveRows {
 public:
  explicit ActiveRows(std::uint32_t rows_max);

  void Start(std::span<const BatchRow> rows, std::span<RowResult> results);

  std::size_t count() const { return count_; }
  std::size_t origin(std::size_t i) const { return origins_[i]; }
  const BatchRow& row(std::size_t i) const { return rows_[origins_[i]]; }
  RowResult& result(std::size_t i) { return results_[origins_[i]]; }

  // Ends active row i, and with it the later rows of its sequence, which would attend to it. It
  // keeps its place until Compact.
  void Fail(std::size_t i, const Status& status);
  void FailCancelled();

  // Drops what has failed: moves the rows of x [count, width] that are left together.
  void Compact(float* x, std::size_t width);

 private:
  std::span<const BatchRow> rows_;
  std::span<RowResult> results_;
  std::vector<std::uint32_t> origins_;  // [rows_max], the first count_
  std::size_t count_ = 0;
  bool any_failed_ = false;
};

}  // namespace edgemoe
