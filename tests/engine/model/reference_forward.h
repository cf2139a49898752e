// SPDX-License-Identifier: Apache-2.0
//
// The qwen3moe model card as naive loops in double precision, on one sequence from its start: what
// the forward pass is held against. Keys and values are rounded to binary16, as the cache does.
#pragma once

#include <span>
#include <vector>

#include "tests/support/loaded_model.h"

namespace edgemoe {

// Logits [tokens, vocabulary]. `file` holds the model's tensors.
std::vector<double> ReferenceLogits(const LoadedModel& model, std::span<const std::byte> file,
                                    std::span<const TokenId> tokens);

}  // namespace edgemoe
