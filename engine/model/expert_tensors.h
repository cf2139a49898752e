// SPDX-License-Identifier: Apache-2.0
//
// How files name the experts' tensors: stacked, all experts of a layer and role in one, where gate
// and up may be fused, or split, a tensor for each expert and role, as in packs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/gguf/gguf_set.h"
#include "engine/model/tensor_role.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

TensorRole TensorRoleOf(ExpertRole role);

// "blk.3.ffn_gate_exps.weight"
std::string StackedExpertName(std::size_t layer, ExpertRole role);
// "blk.3.ffn_gate_up_exps.weight": of each expert the rows of its gate, then those of its up.
std::string FusedExpertName(std::size_t layer);
// "blk.3.ffn_gate.17.weight"
std::string SplitExpertName(std::size_t layer, std::size_t expert, ExpertRole role);

// A tensor of experts [first, first + count): of each, one behind the other, its matrices of
// `roles`, which have one shape.
struct ExpertMatrices {
  std::string name;
  std::size_t first = 0;
  std::size_t count = 1;
  std::span<const ExpertRole> roles;
};

// The tensors that a layer's experts have or, when it has none of them, should have: split in a
// pack, stacked elsewhere.
std::vector<ExpertMatrices> ExpertMatricesOf(const GgufSet& files, std::size_t layer,
                                             std::size_t expert_count);

}  // namespace edgemoe
