// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/parallel/compute_pool.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

// Rows of a matrix from one type to another, on all threads of a pool. Results do not depend on
// how many there are. One thread at a time, the pool's.
class RowConverter {
 public:
  explicit RowConverter(ComputePool* pool) : pool_(pool), scratch_(pool->thread_count()) {}

  // `rows` [row_count, columns] of `from` -> `out` the same of `to`. `importance` [columns] weighs
  // each column's squared error; empty: all alike. REQUIRES: `from` computable, `to` encodable,
  // whole blocks.
  void Convert(TensorType from, TensorType to, std::size_t columns, std::size_t row_count,
               const std::byte* rows, std::span<const float> importance, std::byte* out);

 private:
  ComputePool* const pool_;
  std::vector<std::vector<float>> scratch_;  // [threads][columns]
};

}  // namespace edgemoe
