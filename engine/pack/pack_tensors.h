// SPDX-License-Identifier: Apache-2.0
//
// The tensors of a model in the order in which a pack holds them. What a pack decides for each of
// them (its type, the weights of its errors) is a vector in this order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/model/tensor_role.h"
#include "engine/pack/pack_source.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

struct PackTensor {
  std::string name;  // in the pack
  TensorRole role = TensorRole::kEmbedding;
  LayerIndex layer{};                   // 0 for those of the whole model
  ExpertKey key{};                      // of an expert's matrices
  std::array<std::uint64_t, 3> dims{};  // innermost first, 1 where it has fewer
  std::uint32_t dimension_count = 0;

  std::uint32_t source_file = 0;
  std::uint64_t source_offset = 0;
  std::uint64_t source_bytes = 0;
  TensorType source_type = TensorType::kF32;

  bool of_expert() const { return IsOfExpert(role); }
  // REQUIRES: of_expert().
  ExpertRole expert_role() const;
  std::uint64_t columns() const { return dims[0]; }
  std::uint64_t rows() const { return dims[1] * dims[2]; }
  std::uint64_t weights() const { return columns() * rows(); }
  // Whether it can be written in `type`: a matrix that may be requantised, in whole blocks
  // of a type that is encodable.
  bool Takes(TensorType type) const;
  // REQUIRES: Takes(type), or `type` is the source's.
  std::uint64_t BytesIn(TensorType type) const;
};

// Dense tensors in the order of the source, then gate, up and down of each expert by layer and
// index. INVALID_ARGUMENT names a tensor of more than three dimensions that is no expert's.
Result<std::vector<PackTensor>> ListPackTensors(const PackSource& source);

}  // namespace edgemoe
