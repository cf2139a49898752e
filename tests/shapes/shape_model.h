// SPDX-License-Identifier: Apache-2.0
//
// A shape as a file: random weights that keep a deep model even, and the rows of its embedding and
// output, which its greedy answer walks along.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/shapes/real_shapes.h"
#include "tests/shapes/token_walk.h"

namespace edgemoe {

struct ShapeFileOptions {
  std::uint32_t layers = 0;               // the first so many; 0: all
  std::optional<TypeRecipe> recipe = {};  // in place of the shape's own
  // One matrix for embedding and output, where it is published so. Then the greedy answer does not
  // walk: what answers to a token is the token itself.
  bool tied = false;
  double topic_share = 0.5;  // see TokenWalkOptions
  std::uint64_t seed = 1;
};

// What the greedy answer of a file walks along.
TokenWalk WalkOf(const RealShape& shape, const ShapeFileOptions& options);

// REQUIRES: options.layers is 0 or in [LeastLayers, all]; tied only where the shape is.
RandomModelOptions ShapeModel(const RealShape& shape, const ShapeFileOptions& options);

}  // namespace edgemoe
