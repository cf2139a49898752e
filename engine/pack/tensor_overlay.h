// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/pack/offline_model.h"
#include "engine/pack/pack_study.h"
#include "engine/pack/row_converter.h"

namespace edgemoe {

// Some tensors of a model in another type, in memory: quantised from the source as a pack's writer
// would. One thread.
class TensorOverlay {
 public:
  // Both outlive it.
  TensorOverlay(PackStudy& study, ComputePool* pool) : study_(study), converter_(pool) {}

  // Replaces these of study.tensors() in `model`, which has the source's shapes; what was replaced
  // before is as in its file again. Errors of the source's reads.
  Status Apply(OfflineModel& model, std::span<const std::size_t> tensors, TensorType type);
  void Clear(OfflineModel& model);

 private:
  Status Convert(const PackTensor& tensor, TensorType type, std::span<std::byte> out);

  PackStudy& study_;
  RowConverter converter_;
  std::vector<std::byte> bytes_;  // of all tensors that are replaced
};

}  // namespace edgemoe
