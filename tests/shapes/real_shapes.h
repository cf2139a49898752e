// SPDX-License-Identifier: Apache-2.0
//
// Models that people run, with their published dimensions and random weights.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/shapes/token_walk.h"
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

struct ShapeFileOptions {
  std::uint32_t layers = 0;               // the first so many; 0: all
  std::optional<TypeRecipe> recipe = {};  // in place of the shape's own
  // One matrix for embedding and output, where it is published so. Then the greedy answer does not
  // walk: what answers to a token is the token itself.
  bool tied = false;
  double topic_share = 0.5;  // see TokenWalkOptions
  std::uint64_t seed = 1;
};

// The least layers that have one of each kind that the shape's file is read by.
std::uint32_t LeastLayers(const RealShape& shape);

// What the greedy answer of a file walks along.
TokenWalk WalkOf(const RealShape& shape, const ShapeFileOptions& options);

// REQUIRES: options.layers is 0 or in [LeastLayers, all]; tied only where the shape is.
RandomModelOptions ShapeModel(const RealShape& shape, const ShapeFileOptions& options);

}  // namespace edgemoe
