// SPDX-License-Identifier: Apache-2.0
//
// Which types a published file of a model has, tensor by tensor.
#pragma once

#include <optional>
#include <string_view>

#include "tests/support/models/random_model.h"

namespace edgemoe {

enum class TypeRecipe : std::uint8_t {
  kQ4KM,   // Q4_K, and Q6_K for what is damaged most
  kQ8,     // Q8_0
  kMxfp4,  // experts MXFP4, all else Q8_0: how gpt-oss is published
};

// Empty for an unknown name.
std::optional<TypeRecipe> FindTypeRecipe(std::string_view name);
std::string TypeRecipeNames();

// Gives each tensor of the model the type that the recipe has for it.
void ApplyTypeRecipe(TypeRecipe recipe, RandomModelOptions& model);

}  // namespace edgemoe
