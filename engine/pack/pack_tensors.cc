// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_tensors.h"

#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/model/expert_tensors.h"

namespace edgemoe {
namespace {

struct NamedRole {
  std::string_view name;
  TensorRole role;
};
constexpr NamedRole kWholeModel[] = {{"token_embd.weight", TensorRole::kEmbedding},
                                     {"output.weight", TensorRole::kOutput}};
constexpr NamedRole kInLayer[] = {{"attn_q.weight", TensorRole::kQuery},
                                  {"attn_k.weight", TensorRole::kKey},
                                  {"attn_v.weight", TensorRole::kValue},
                                  {"attn_output.weight", TensorRole::kAttentionOutput}};

// "blk.3.attn_q.weight" -> role and layer.
void ReadName(std::string_view name, PackTensor* tensor) {
  for (const NamedRole& known : kWholeModel)
    if (name == known.name) tensor->role = known.role;
  constexpr std::string_view kPrefix = "blk.";
  if (!name.starts_with(kPrefix)) return;
  name.remove_prefix(kPrefix.size());
  const char* const end = name.data() + name.size();
  const auto number = std::from_chars(name.data(), end, tensor->layer.value);
  if (number.ec != std::errc() || number.ptr == end) return;
  const std::string_view rest(number.ptr + 1, static_cast<std::size_t>(end - number.ptr - 1));
  for (const NamedRole& known : kInLayer)
    if (rest == known.name) tensor->role = known.role;
}

Result<PackTensor> DenseTensor(const GgufTensor& from) {
  if (from.dimension_count > 2)
    return Failure(InvalidArgumentError("tensor " + QuoteForMessage(from.name) + ": found " +
                                        std::to_string(from.dimension_count) +
                                        " dimensions; accepted: 1 and 2"));
  PackTensor tensor;
  tensor.name = from.name;
  ReadName(tensor.name, &tensor);
  tensor.dims = {from.dims[0], from.dimension_count == 2 ? from.dims[1] : 1};
  tensor.dimension_count = from.dimension_count;
  tensor.source_file = from.file_index;
  tensor.source_offset = from.offset;
  tensor.source_bytes = from.bytes;
  tensor.source_type = from.type;
  return tensor;
}

PackTensor ExpertTensor(const PackSource& source, std::size_t index, ExpertRole role) {
  constexpr std::array kRoles = {TensorRole::kGate, TensorRole::kUp, TensorRole::kDown};
  const ModelConfig& config = source.config();
  const auto r = static_cast<std::size_t>(role);
  const ExpertExtent& extent = source.layout().experts.extents[index][r];
  const std::size_t layer = index / config.expert_count;
  const std::size_t expert = index % config.expert_count;
  const bool down = role == ExpertRole::kDown;
  PackTensor tensor;
  tensor.name = SplitExpertName(layer, expert, role);
  tensor.role = kRoles[r];
  tensor.layer = LayerIndex{static_cast<std::uint32_t>(layer)};
  tensor.expert = ExpertIndex{static_cast<std::uint32_t>(expert)};
  tensor.dims = {down ? config.expert_width : config.width,
                 down ? config.width : config.expert_width};
  tensor.dimension_count = 2;
  tensor.source_file = extent.file_index;
  tensor.source_offset = extent.offset;
  tensor.source_bytes = extent.bytes;
  tensor.source_type = extent.type;
  return tensor;
}

}  // namespace

const char* TensorRoleName(TensorRole role) {
  constexpr std::array<const char*, kTensorRoleCount> kNames = {
      "embedding",        "output", "query", "key",  "value",
      "attention_output", "gate",   "up",    "down", "other"};
  return kNames[static_cast<std::size_t>(role)];
}

ExpertRole PackTensor::expert_role() const {
  if (role == TensorRole::kGate) return ExpertRole::kGate;
  return role == TensorRole::kUp ? ExpertRole::kUp : ExpertRole::kDown;
}

bool PackTensor::Takes(TensorType type) const {
  if (role == TensorRole::kOther || rows() < 2) return false;
  const TensorTypeTraits& traits = TraitsOf(type);
  return traits.computable && TraitsOf(source_type).computable &&
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
  std::set<std::pair<std::uint32_t, std::uint64_t>> dense_places;
  for (const WeightsLayout::DenseTensor& dense : layout.dense)
    dense_places.emplace(dense.file_index, dense.file_offset);
  std::vector<PackTensor> tensors;
  for (const GgufTensor& tensor : source.headers().tensors()) {
    if (!dense_places.contains({tensor.file_index, tensor.offset})) continue;
    EDGEMOE_ASSIGN_OR_FAIL(PackTensor dense, DenseTensor(tensor));
    tensors.push_back(std::move(dense));
  }
  EDGEMOE_CHECK(tensors.size() == layout.dense.size(), "each dense tensor has a place of its own");
  for (std::size_t i = 0; i < layout.experts.extents.size(); ++i)
    for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown})
      tensors.push_back(ExpertTensor(source, i, role));
  return tensors;
}

}  // namespace edgemoe
