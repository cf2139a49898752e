// SPDX-License-Identifier: Apache-2.0
//
// Where each expert's bytes are: a plain table that the engine fills from a file's description, so
// that streaming knows nothing about file formats.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

// The three matrices of an expert, in this order everywhere.
enum class ExpertRole : std::uint8_t { kGate = 0, kUp = 1, kDown = 2 };
constexpr std::size_t kExpertRoleCount = 3;

// One matrix of one expert on storage.
struct ExpertExtent {
  std::uint32_t file_index = 0;
  std::uint64_t offset = 0;  // in the file; any alignment
  std::uint64_t bytes = 0;
  TensorType type = TensorType::kF32;
};

using ExpertExtents = std::array<ExpertExtent, kExpertRoleCount>;

struct ExpertLayout {
  std::uint32_t layer_count = 0;  // layers that have experts
  std::uint32_t experts_per_layer = 0;
  std::vector<ExpertExtents> extents;  // [layer_count, experts_per_layer]
  // [layer_count, experts_per_layer], of each expert's three matrices; empty: there are none.
  std::vector<std::uint64_t> checksums{};
  // The model's layer of each layer with experts: [layer_count]; empty: the same numbers.
  std::vector<LayerIndex> model_layers{};

  const ExpertExtents& of(ExpertKey key) const { return extents[IndexOf(key)]; }
  LayerIndex LayerOf(ExpertLayerIndex layer) const {
    return model_layers.empty() ? LayerIndex{layer.value} : model_layers[layer.value];
  }
  std::size_t IndexOf(ExpertKey key) const {
    return std::size_t{key.layer.value} * experts_per_layer + key.expert.value;
  }
};

// Bytes of slot that an expert needs: its extents, each rounded outwards to whole read blocks, one
// after another; extents that touch in the file share one read.
std::uint64_t SlotBytesFor(const ExpertExtents& extents);

}  // namespace edgemoe
