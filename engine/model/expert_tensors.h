// SPDX-License-Identifier: Apache-2.0
//
// How files name the experts' tensors: stacked, all experts of a layer and role in one, or split,
// a tensor for each expert and role, as in packs.
#pragma once

#include <cstddef>
#include <string>

#include "engine/gguf/gguf_set.h"
#include "engine/model/tensor_role.h"
#include "engine/stream/expert_layout.h"

namespace edgemoe {

TensorRole TensorRoleOf(ExpertRole role);

// "blk.3.ffn_gate_exps.weight"
std::string StackedExpertName(std::size_t layer, ExpertRole role);
// "blk.3.ffn_gate.17.weight"
std::string SplitExpertName(std::size_t layer, std::size_t expert, ExpertRole role);

// Whether a layer's experts are split; when it has neither form, as its file has them elsewhere.
bool ExpertsAreSplit(const GgufSet& files, std::size_t layer);

}  // namespace edgemoe
