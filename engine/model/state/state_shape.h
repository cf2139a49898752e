// SPDX-License-Identifier: Apache-2.0
//
// What a sequence of a model keeps, layer by layer.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/ids.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// Positions are kept in blocks of so many.
constexpr std::uint32_t kStateBlockTokens = 32;

// Layers that look back equally far share blocks: a sequence has a list of blocks for each group.
struct StateGroup {
  std::uint32_t window = 0;          // positions that a row sees, its own included; 0: all
  std::uint64_t block_elements = 0;  // binary16, of all layers of the group

  bool operator==(const StateGroup&) const = default;
};

// Where a layer has its own. Sizes of what it does not keep are 0.
struct LayerState {
  std::uint32_t group = 0;
  std::uint32_t key_size = 0;    // elements of one position
  std::uint32_t value_size = 0;  // the same
  std::uint64_t keys = 0;        // element of a block where [kStateBlockTokens, key_size] begins
  std::uint64_t values = 0;      // the same of [kStateBlockTokens, value_size]
  std::uint64_t recurrent = 0;   // float of a sequence's recurrent state where it begins
  std::uint64_t recurrent_size = 0;  // floats
};

struct StateShape {
  std::vector<LayerState> layers;      // the model's
  std::vector<StateGroup> groups;      // may be empty
  std::uint64_t recurrent_floats = 0;  // of one sequence
};

// A layer of attention keeps keys and values of its heads, one of latent attention its latent as
// the key alone, the recurrent ones floats.
StateShape StateShapeOf(const ModelConfig& config);

}  // namespace edgemoe
