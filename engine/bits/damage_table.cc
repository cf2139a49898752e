// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/damage_table.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr std::size_t kSyncTensors = 64;

std::string LogName(const PackTensor& tensor, TensorType type) {
  return "damage/" + tensor.name + "/" + std::string(TraitsOf(type).name);
}

class Meter {
 public:
  Meter(PackSource& source, const DamageJob& job)
      : source_(source), job_(job), scratch_(job.pool->thread_count()) {}

  // [types] of one tensor; `row_weights` [rows] or empty.
  Result<std::vector<double>> Measure(const PackTensor& tensor,
                                      std::span<const double> row_weights) {
    const std::vector<float> columns = job_.weights->Columns(tensor);
    std::vector<double> damages(job_.types.size());
    const std::uint64_t stride = DamageRowStride(tensor);
    const auto row_bytes = static_cast<std::size_t>(tensor.source_bytes / tensor.rows());
    const auto visit = [&](std::span<const std::byte> rows, std::uint64_t first) {
      EDGEMOE_RETURN_IF_ERROR(CheckNotCancelled());
      PickRows(rows.size() / row_bytes, first, stride);
      errors_.resize(picked_.size() * job_.types.size());
      job_.pool->ParallelFor(picked_.size(), [&](std::size_t i, std::size_t thread) {
        const std::byte* const row = rows.data() + (picked_[i] - first) * row_bytes;
        RowErrors(tensor, row, columns, scratch_[thread], &errors_[i * job_.types.size()]);
      });
      for (std::size_t i = 0; i < picked_.size(); ++i) {
        const double weight = row_weights.empty() ? 1 : row_weights[picked_[i]];
        for (std::size_t t = 0; t < damages.size(); ++t)
          damages[t] += weight * errors_[i * job_.types.size() + t];
      }
      return OkStatus();
    };
    EDGEMOE_FAIL_IF_ERROR(source_.ReadRows(tensor.source_file, tensor.source_offset, row_bytes,
                                           tensor.rows(), visit));
    const double scale = job_.weights->Scale(tensor) * static_cast<double>(stride);
    for (double& damage : damages) damage *= scale;
    return damages;
  }

  // The square of each column, over rows.
  Result<std::vector<double>> ColumnSquares(const PackTensor& tensor) {
    const auto columns = static_cast<std::size_t>(tensor.columns());
    const auto row_bytes = static_cast<std::size_t>(tensor.source_bytes / tensor.rows());
    std::vector<double> squares(columns);
    const std::uint64_t stride = DamageRowStride(tensor);
    std::vector<float> x(columns);
    const auto visit = [&](std::span<const std::byte> rows, std::uint64_t first) {
      PickRows(rows.size() / row_bytes, first, stride);
      for (const std::uint64_t row : picked_) {
        DequantizeRow(tensor.source_type, rows.data() + (row - first) * row_bytes, columns,
                      x.data());
        for (std::size_t k = 0; k < columns; ++k)
          squares[k] += static_cast<double>(x[k]) * x[k] * static_cast<double>(stride);
      }
      return CheckNotCancelled();
    };
    EDGEMOE_FAIL_IF_ERROR(source_.ReadRows(tensor.source_file, tensor.source_offset, row_bytes,
                                           tensor.rows(), visit));
    return squares;
  }

 private:
  struct Scratch {
    std::vector<float> x;
    std::vector<float> decoded;
    std::vector<std::byte> packed;
  };

  Status CheckNotCancelled() const {
    if (job_.cancelled == nullptr || !job_.cancelled->load(std::memory_order_relaxed))
      return OkStatus();
    return CancelledError("pack: cancelled; the same job goes on from what it has measured");
  }

  // Of rows [first, first + count), every `stride`-th of the tensor's.
  void PickRows(std::size_t count, std::uint64_t first, std::uint64_t stride) {
    picked_.clear();
    for (std::uint64_t row = (first + stride - 1) / stride * stride; row < first + count;
         row += stride)
      picked_.push_back(row);
  }

  void RowErrors(const PackTensor& tensor, const std::byte* row, std::span<const float> columns,
                 Scratch& scratch, double* errors) const {
    const auto n = static_cast<std::size_t>(tensor.columns());
    scratch.x.resize(n);
    scratch.decoded.resize(n);
    DequantizeRow(tensor.source_type, row, n, scratch.x.data());
    for (std::size_t t = 0; t < job_.types.size(); ++t) {
      const TensorType type = job_.types[t];
      errors[t] = 0;
      if (type == tensor.source_type || !tensor.Takes(type)) continue;
      scratch.packed.resize(static_cast<std::size_t>(*RowBytes(type, n)));
      QuantizeRow(type, scratch.x.data(), n, columns.empty() ? nullptr : columns.data(),
                  scratch.packed.data());
      DequantizeRow(type, scratch.packed.data(), n, scratch.decoded.data());
      for (std::size_t k = 0; k < n; ++k) {
        const double error = static_cast<double>(scratch.x[k]) - scratch.decoded[k];
        errors[t] += (columns.empty() ? 1.0 : columns[k]) * error * error;
      }
    }
  }

  PackSource& source_;
  const DamageJob& job_;
  std::vector<Scratch> scratch_;       // [threads]
  std::vector<std::uint64_t> picked_;  // rows of the tensor
  std::vector<double> errors_;         // [picked_, types]
};

// A column of down, and a row of gate or up, are a hidden value of the expert.
std::vector<double> Through(std::span<const float> rows, std::span<const double> down_squares) {
  std::vector<double> weights(rows.size());
  for (std::size_t j = 0; j < rows.size(); ++j) weights[j] = rows[j] * down_squares[j];
  return weights;
}

}  // namespace

std::uint64_t DamageRowStride(const PackTensor& tensor) {
  const std::uint64_t weights_max = tensor.of_expert() ? kDamageWeightsMax : kDamageWeightsMaxDense;
  const std::uint64_t rows_max = std::max(weights_max / tensor.columns(), kDamageRowsMin);
  return (tensor.rows() + rows_max - 1) / rows_max;
}

DamageTable::DamageTable(std::size_t tensor_count, std::vector<TensorType> types)
    : types_(std::move(types)), damages_(tensor_count * types_.size()) {}

Result<DamageTable> MeasureDamage(PackSource& source, const DamageJob& job) {
  DamageTable table(job.tensors.size(), job.types);
  Meter meter(source, job);
  std::uint64_t weights_total = 0;
  for (const PackTensor& tensor : job.tensors) weights_total += tensor.weights();
  std::uint64_t weights_done = 0;
  std::vector<double> down_squares;
  for (std::size_t i = 0; i < job.tensors.size(); ++i) {
    const PackTensor& tensor = job.tensors[i];
    std::vector<double> damages;
    for (const TensorType type : job.types)
      if (const auto known = job.log->Find(LogName(tensor, type))) damages.push_back(*known);
    if (damages.size() < job.types.size() && IsRequantisable(tensor.role)) {
      std::vector<double> rows;
      if (tensor.role == TensorRole::kGate || tensor.role == TensorRole::kUp) {
        const std::size_t down = i + (tensor.role == TensorRole::kGate ? 2 : 1);
        EDGEMOE_CHECK(job.tensors[down].role == TensorRole::kDown, "gate, up, down");
        if (down_squares.empty()) {
          EDGEMOE_ASSIGN_OR_FAIL(down_squares, meter.ColumnSquares(job.tensors[down]));
        }
        rows = Through(job.weights->Rows(tensor), down_squares);
      }
      EDGEMOE_ASSIGN_OR_FAIL(damages, meter.Measure(tensor, rows));
      for (std::size_t t = 0; t < damages.size(); ++t)
        EDGEMOE_FAIL_IF_ERROR(job.log->Add(LogName(tensor, job.types[t]), damages[t]));
    }
    if (tensor.role == TensorRole::kDown) down_squares.clear();
    for (std::size_t t = 0; t < job.types.size(); ++t) {
      const bool own = job.types[t] == tensor.source_type;
      const bool takes = tensor.Takes(job.types[t]);
      table.Set(i, t, own ? 0 : takes ? damages[t] : std::numeric_limits<double>::infinity());
    }
    weights_done += tensor.weights();
    if (i % kSyncTensors == 0) EDGEMOE_FAIL_IF_ERROR(job.log->Sync());
    if (job.progress) job.progress(weights_done, weights_total);
  }
  EDGEMOE_FAIL_IF_ERROR(job.log->Sync());
  return table;
}

}  // namespace edgemoe
