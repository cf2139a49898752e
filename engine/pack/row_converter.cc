// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/row_converter.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr std::size_t kRowsPerItem = 8;

}  // namespace

void RowConverter::Convert(TensorType from, TensorType to, std::size_t columns,
                           std::size_t row_count, const std::byte* rows,
                           std::span<const float> importance, std::byte* out) {
  const auto from_bytes = RowBytes(from, columns);
  const auto to_bytes = RowBytes(to, columns);
  EDGEMOE_CHECK(from_bytes && to_bytes, "a row is a whole number of blocks");
  EDGEMOE_CHECK(importance.empty() || importance.size() == columns, "a weight for each column");
  for (std::vector<float>& scratch : scratch_) scratch.resize(columns);
  const float* const weights = importance.empty() ? nullptr : importance.data();
  pool_->ParallelFor((row_count + kRowsPerItem - 1) / kRowsPerItem,
                     [&](std::size_t item, std::size_t thread) {
                       float* const x = scratch_[thread].data();
                       const std::size_t end = std::min((item + 1) * kRowsPerItem, row_count);
                       for (std::size_t row = item * kRowsPerItem; row < end; ++row) {
                         DequantizeRow(from, rows + row * *from_bytes, columns, x);
                         QuantizeRow(to, x, columns, weights, out + row * *to_bytes);
                       }
                     });
}

}  // namespace edgemoe
