// SPDX-License-Identifier: Apache-2.0
//
// Models that people run, with their published dimensions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/shapes/type_recipe.h"
#include "tests/support/models/random_model.h"

namespace edgemoe {

struct RealShape {
  std::string name;
  ModelConfig config;
  bool tied_output = false;  // as published
  std::string pre_tokenizer;
  TypeRecipe recipe = TypeRecipe::kQ4KM;
  std::vector<TensorRole> optional_roles;  // see RandomModelOptions
  bool fused_experts = false;              // see RandomModelOptions
};

const std::vector<RealShape>& RealShapes();
// Null: none of that name.
const RealShape* FindRealShape(std::string_view name);
std::string RealShapeNames();

// The least layers that have one of each kind that the shape's file is read by.
std::uint32_t LeastLayers(const RealShape& shape);

}  // namespace edgemoe
