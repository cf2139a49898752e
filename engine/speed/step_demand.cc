// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/step_demand.h"

#include <algorithm>

#include "engine/model/tensor_role.h"
#include "engine/stream/pipeline/reads.h"

namespace edgemoe {
namespace {

void Add(TensorType type, double bytes, std::vector<TypedBytes>& list) {
  if (bytes <= 0) return;
  const auto found = std::ranges::find(list, type, &TypedBytes::type);
  if (found != list.end())
    found->bytes += bytes;
  else
    list.push_back({type, bytes});
}

// Two bytes each for keys and for values.
double AttendedBytes(const AttentionConfig& attention, std::uint32_t context_tokens) {
  const std::uint32_t positions =
      attention.window == 0 ? context_tokens : std::min(attention.window, context_tokens);
  return 4.0 * attention.q_size() * positions;
}

double AttendedBytes(const LatentAttentionConfig& attention, std::uint32_t context_tokens) {
  return 2.0 * attention.head_count * (attention.key_size() + attention.latent_size) *
         context_tokens;
}

void AddState(const LayerConfig& layer, std::uint32_t context_tokens, StepDemand& demand) {
  constexpr double kFloatBytes = sizeof(float);
  constexpr double kDeltaPasses = 2;  // what the state holds for the key, then the new state
  if (const auto* attention = layer.mixer_as<AttentionConfig>()) {
    Add(TensorType::kF16, AttendedBytes(*attention, context_tokens), demand.dense);
  } else if (const auto* latent = layer.mixer_as<LatentAttentionConfig>()) {
    Add(TensorType::kF16, AttendedBytes(*latent, context_tokens), demand.dense);
  } else if (const auto* mamba = layer.mixer_as<Mamba2Config>()) {
    Add(TensorType::kF32, kFloatBytes * mamba->inner_size() * mamba->state_size, demand.dense);
  } else if (const auto* delta = layer.mixer_as<DeltaNetConfig>()) {
    Add(TensorType::kF32, kDeltaPasses * kFloatBytes * delta->value_size() * delta->head_size,
        demand.dense);
  }
}

void AddExperts(const ModelHeader& header, StepDemand& demand) {
  const ExpertLayout& layout = header.layout.experts;
  if (layout.extents.empty()) return;
  demand.expert_layer_count = layout.layer_count;
  demand.experts_used = header.config.expert_used_count;
  // Each expert is as likely as any other.
  const double share = double{1} * demand.experts_used / layout.experts_per_layer;
  double read_bytes = 0;
  double read_count = 0;
  for (const ExpertExtents& extents : layout.extents) {
    for (const ExpertExtent& extent : extents) {
      Add(extent.type, share * static_cast<double>(extent.bytes), demand.experts);
      demand.expert_total_bytes += extent.bytes;
    }
    const ExpertReads reads = LayOutReads(extents);
    read_count += static_cast<double>(reads.run_count);
    for (std::size_t i = 0; i < reads.run_count; ++i)
      read_bytes += static_cast<double>(reads.runs[i].bytes);
  }
  const auto count = static_cast<double>(layout.extents.size());
  demand.expert_read_bytes = read_bytes / count;
  demand.expert_read_count = read_count / count;
}

}  // namespace

StepDemand DemandOf(const ModelHeader& header, std::uint32_t context_tokens) {
  StepDemand demand;
  demand.layer_count = header.config.layer_count();
  demand.dense_memory_bytes = header.layout.dense_bytes;
  for (const WeightsLayout::DenseTensor& tensor : header.layout.dense) {
    // Of the embedding one row is looked at, unless it is the output, too.
    const bool looked_up = tensor.role == TensorRole::kEmbedding && !header.layout.tied_output;
    if (looked_up || IsFloatVector(tensor.role)) continue;
    Add(tensor.type, static_cast<double>(tensor.file_bytes), demand.dense);
  }
  for (const LayerConfig& layer : header.config.layers) AddState(layer, context_tokens, demand);
  AddExperts(header, demand);
  return demand;
}

std::vector<TensorType> TypesOf(const StepDemand& demand) {
  std::vector<TensorType> types;
  for (const std::vector<TypedBytes>* const list : {&demand.dense, &demand.experts})
    for (const TypedBytes& one : *list)
      if (std::ranges::find(types, one.type) == types.end()) types.push_back(one.type);
  return types;
}

}  // namespace edgemoe
