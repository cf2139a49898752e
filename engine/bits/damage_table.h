// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/bits/measurement_log.h"
#include "engine/pack/pack_source.h"
#include "engine/pack/pack_tensors.h"
#include "engine/parallel/compute_pool.h"
#include "engine/study/error_weights.h"

namespace edgemoe {

// Weights of a matrix that are quantised to estimate its damage: whole rows, evenly spread, at
// least kDamageRowsMin of them. A smaller matrix is taken whole.
constexpr std::uint64_t kDamageWeightsMax = 65536;
constexpr std::uint64_t kDamageWeightsMaxDense = 262144;
constexpr std::uint64_t kDamageRowsMin = 32;
// From one of these rows to the next.
std::uint64_t DamageRowStride(const PackTensor& tensor);

// The damage of each tensor in each type, in the units of ErrorWeights.
class DamageTable {
 public:
  DamageTable(std::size_t tensor_count, std::vector<TensorType> types);

  std::span<const TensorType> types() const { return types_; }
  // 0 for the source's own type; infinite when the tensor does not take the type.
  double of(std::size_t tensor, std::size_t type) const {
    return damages_[tensor * types_.size() + type];
  }
  void Set(std::size_t tensor, std::size_t type, double damage) {
    damages_[tensor * types_.size() + type] = damage;
  }

 private:
  std::vector<TensorType> types_;
  std::vector<double> damages_;  // [tensors, types]
};

struct DamageJob {
  std::span<const PackTensor> tensors;
  std::vector<TensorType> types;
  const ErrorWeights* weights = nullptr;
  ComputePool* pool = nullptr;
  MeasurementLog* log = nullptr;  // what it holds is not measured again
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::uint64_t weights_done, std::uint64_t weights_total)> progress{};
};

// Quantises rows of each tensor in each type, with the importance that the pack's writer uses.
// Results do not depend on threads. CANCELLED; errors of the source's reads and of the log.
Result<DamageTable> MeasureDamage(PackSource& source, const DamageJob& job);

}  // namespace edgemoe
