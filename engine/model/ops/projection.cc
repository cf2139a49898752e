// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/projection.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"

namespace edgemoe {
namespace {

constexpr std::size_t kItemsPerThread = 4;
constexpr std::size_t kRowGranule = 16;  // kernels work on a few rows at once

}  // namespace

std::size_t RowsPerItem(std::size_t rows, std::size_t matrix_count, std::size_t thread_count) {
  if (thread_count == 1) return std::max<std::size_t>(rows, 1);
  const std::size_t items_wanted = kItemsPerThread * thread_count;
  const std::size_t items_each = (items_wanted + matrix_count - 1) / matrix_count;
  return std::max(kRowGranule, AlignUp((rows + items_each - 1) / items_each, kRowGranule));
}

void Project(std::span<const Projection> projections, EncodedRows& x, std::size_t token_count,
             const KernelTable& kernels, ComputePool& pool) {
  EDGEMOE_CHECK(projections.size() <= kProjectionsMax, "too many projections at once");
  std::array<const std::byte*, kProjectionsMax> encoded{};
  std::array<std::size_t, kProjectionsMax> first_item{};
  std::size_t row_count = 0;
  for (const Projection& projection : projections) row_count += projection.matrix->rows;
  const std::size_t chunk = RowsPerItem(row_count, 1, pool.thread_count());
  std::size_t item_count = 0;
  for (std::size_t i = 0; i < projections.size(); ++i) {
    encoded[i] = x.As(ActivationTypeFor(projections[i].matrix->type));
    first_item[i] = item_count;
    item_count += (projections[i].matrix->rows + chunk - 1) / chunk;
  }

  pool.ParallelFor(item_count, [&](std::size_t item, std::size_t) {
    std::size_t i = projections.size() - 1;
    while (item < first_item[i]) --i;
    const MatrixView& matrix = *projections[i].matrix;
    const std::size_t row_begin = (item - first_item[i]) * chunk;
    MatMulArgs args;
    args.weights = matrix.bytes;
    args.weight_row_bytes = matrix.row_bytes;
    args.row_begin = row_begin;
    args.row_end = std::min<std::size_t>(row_begin + chunk, matrix.rows);
    args.columns = matrix.columns;
    args.x = encoded[i];
    args.x_row_bytes = EncodedStride(ActivationTypeFor(matrix.type), matrix.columns);
    args.token_count = token_count;
    args.y = projections[i].y;
    args.y_stride = matrix.rows;
    kernels.mat_mul[static_cast<std::size_t>(matrix.type)](args);
  });
}

}  // namespace edgemoe
