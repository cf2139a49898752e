// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/pack/row_converter.h"
#include "engine/study/offline_model.h"
#include "engine/study/source_study.h"

namespace edgemoe {

// Some tensors of a model in another type, in memory: quantised from the source as a pack's writer
// would. One thread.
class RequantisedTensors {
 public:
  // All outlive it; `cancelled` may be null.
  RequantisedTensors(SourceStudy& study, ComputePool* pool, const std::atomic<bool>* cancelled)
      : study_(study), converter_(pool), cancelled_(cancelled) {}

  struct Change {
    std::size_t tensor = 0;  // of study.tensors(), which takes the type
    TensorType type = TensorType::kF32;
  };
  // Replaces these in `model`, which has the source's shapes; what was replaced before is as in its
  // file again. CANCELLED; errors of the source's reads; then nothing is replaced.
  Status Apply(OfflineModel& model, std::span<const Change> changes);
  void Clear(OfflineModel& model);

 private:
  Status Replace(OfflineModel& model, std::span<const Change> changes);
  Status Convert(const PackTensor& tensor, TensorType type, std::span<std::byte> out);

  SourceStudy& study_;
  RowConverter converter_;
  const std::atomic<bool>* const cancelled_;
  std::vector<std::byte> bytes_;  // of all tensors that are replaced
};

}  // namespace edgemoe
