// SPDX-License-Identifier: Apache-2.0
//
// The qwen3moe model card as naive loops in double precision, on one sequence from its start: what
// the forward pass is held against. Keys and values are rounded to binary16, as the cache does.
#pragma once

#include <span>
#include <vector>

#include "tests/support/models/loaded_model.h"

namespace edgemoe {

// Gate and up joined to the input of down, as the activation's definition has it.
double ReferenceJoined(Activation activation, double gate, double up);

// What one token's use of an expert gave.
struct ReferenceUse {
  std::size_t expert = 0;
  double weight = 0;
  std::vector<double> gate;  // [expert_width]
  std::vector<double> up;    // [expert_width]
};

// The inputs of one token's products.
struct ReferenceActivations {
  struct Layer {
    std::vector<double> attention;         // [width]
    std::vector<double> attention_output;  // [head_count * head_size]
    std::vector<double> ffn;               // [width]
    std::vector<ReferenceUse> uses;        // best first
  };
  std::vector<Layer> layers;
  std::vector<double> output;  // [width]
};

// Logits [tokens, vocabulary]. `file` holds the model's tensors. `activations`, unless null, is
// filled, one for each token.
std::vector<double> ReferenceLogits(const LoadedModel& model, std::span<const std::byte> file,
                                    std::span<const TokenId> tokens,
                                    std::vector<ReferenceActivations>* activations = nullptr);

}  // namespace edgemoe
