// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_tensors.h"

#include <map>
#include <utility>

#include "engine/base/check.h"
#include "engine/model/expert_tensors.h"

namespace edgemoe {
namespace {

Result<PackTensor> DenseTensor(const GgufTensor& from, const WeightsLayout::DenseTensor& dense) {
  if (from.dimension_count > 3)
    return Failure(InvalidArgumentError("tensor " + QuoteForMessage(from.name) + ": found " +
                                        std::to_string(from.dimension_count) +
                                        " dimensions; accepted: 1 to 3"));
  PackTensor tensor;
  tensor.name = from.name;
  tensor.role = dense.role;
  tensor.layer = dense.layer;
  tensor.dims = {from.dims[0], from.dims[1], from.dims[2]};
  tensor.dimension_count = from.dimension_count;
  tensor.source_file = from.file_index;
  tensor.source_offset = from.offset;
  tensor.source_bytes = from.bytes;
  tensor.source_type = from.type;
  return tensor;
}

PackTensor ExpertTensor(const PackSource& source, ExpertKey key, ExpertRole role) {
  const ModelConfig& config = source.config();
  const ExpertLayout& experts = source.layout().experts;
  const ExpertExtent& extent = experts.of(key)[static_cast<std::size_t>(role)];
  PackTensor tensor;
  tensor.role = TensorRoleOf(role);
  tensor.layer = experts.LayerOf(key.layer);
  tensor.key = key;
  tensor.name = SplitExpertName(tensor.layer.value, key.expert.value, role);
  const TensorShape shape = ShapeOf(tensor.role, config, config.layers[tensor.layer.value]);
  tensor.dims = {shape.columns, shape.rows, 1};
  tensor.dimension_count = 2;
  tensor.source_file = extent.file_index;
  tensor.source_offset = extent.offset;
  tensor.source_bytes = extent.bytes;
  tensor.source_type = extent.type;
  return tensor;
}

}  // namespace

ExpertRole PackTensor::expert_role() const {
  if (role == TensorRole::kGate) return ExpertRole::kGate;
  return role == TensorRole::kUp ? ExpertRole::kUp : ExpertRole::kDown;
}

bool PackTensor::Takes(TensorType type) const {
  if (!IsRequantisable(role) || rows() < 2) return false;
  const TensorTypeTraits& traits = TraitsOf(type);
  return traits.encodable && TraitsOf(source_type).computable &&
         columns() % traits.block_elements == 0;
}

std::uint64_t PackTensor::BytesIn(TensorType type) const {
  if (type == source_type) return source_bytes;
  const std::optional<std::uint64_t> row_bytes = RowBytes(type, columns());
  EDGEMOE_CHECK(row_bytes.has_value(), "whole blocks");
  return *row_bytes * rows();
}

Result<std::vector<PackTensor>> ListPackTensors(const PackSource& source) {
  const WeightsLayout& layout = source.layout();
  std::map<std::pair<std::uint32_t, std::uint64_t>, const WeightsLayout::DenseTensor*> by_place;
  for (const WeightsLayout::DenseTensor& dense : layout.dense)
    by_place.emplace(std::pair(dense.file_index, dense.file_offset), &dense);
  std::vector<PackTensor> tensors;
  for (const GgufTensor& tensor : source.headers().tensors()) {
    const auto found = by_place.find({tensor.file_index, tensor.offset});
    if (found == by_place.end()) continue;
    EDGEMOE_ASSIGN_OR_FAIL(PackTensor dense, DenseTensor(tensor, *found->second));
    tensors.push_back(std::move(dense));
  }
  EDGEMOE_CHECK(tensors.size() == layout.dense.size(), "each dense tensor has a place of its own");
  for (std::uint32_t layer = 0; layer < layout.experts.layer_count; ++layer)
    for (std::uint32_t expert = 0; expert < layout.experts.experts_per_layer; ++expert)
      for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown})
        tensors.push_back(
            ExpertTensor(source, {ExpertLayerIndex{layer}, ExpertIndex{expert}}, role));
  return tensors;
}

}  // namespace edgemoe
