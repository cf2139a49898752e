// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "engine/base/result.h"
#include "engine/bits/damage_table.h"
#include "engine/bits/measurement_log.h"
#include "engine/study/source_study.h"

namespace edgemoe {

// Passes over the sample that a job takes, unless two of each kind of tensor are more; with more
// layers some are interpolated.
constexpr std::uint32_t kProbesMax = 64;
// A group is probed in the type whose bits are nearest to those wanted, of at most so many.
constexpr double kProbeBitsMax = 4.5;

// What the damage of a group of tensors (those of a role in a layer) is worth: nats of KL at the
// output for each unit of damage. Errors of a weight are small, so their effects are taken to be
// proportional and to add up; docs/bits.md says how well that holds.
class Sensitivity {
 public:
  double of(const PackTensor& tensor) const { return of_.at({tensor.role, tensor.layer.value}); }
  std::uint64_t probe_count() const { return probe_count_; }

 private:
  friend class SensitivityTrial;
  using Group = std::pair<TensorRole, std::uint32_t>;
  std::map<Group, double> of_;
  std::uint64_t probe_count_ = 0;
};

struct SensitivityJob {
  const DamageTable* damages = nullptr;
  double bits = 4;  // that are wanted
  ComputePool* pool = nullptr;
  MeasurementLog* log = nullptr;  // what it holds is not measured again
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};  // passes
};

// Quantises one group after another, leaving the rest as it is in the source, and measures the KL.
// REQUIRES: the study is calibrated. Errors of the study's models; CANCELLED.
Result<Sensitivity> MeasureSensitivity(SourceStudy& study, const SensitivityJob& job);

}  // namespace edgemoe
