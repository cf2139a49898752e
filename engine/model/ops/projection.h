// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "engine/kernels/kernel_table.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/weights.h"
#include "engine/parallel/compute_pool.h"

namespace edgemoe {

// One dense matrix and where its products go: y [tokens, matrix rows].
struct Projection {
  const MatrixView* matrix;
  float* y;
};

// The rows of a matrix that one work item takes, for items of about equal cost: a few for each
// thread when `matrix_count` matrices of `rows` rows are multiplied together.
std::size_t RowsPerItem(std::size_t rows, std::size_t matrix_count, std::size_t thread_count);

// Multiplies the first `token_count` rows of x by all matrices at once, in parallel over ranges of
// their rows. REQUIRES: at most kProjectionsMax.
constexpr std::size_t kProjectionsMax = 3;
void Project(std::span<const Projection> projections, EncodedRows& x, std::size_t token_count,
             const KernelTable& kernels, ComputePool& pool);

}  // namespace edgemoe
