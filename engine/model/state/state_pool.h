// SPDX-License-Identifier: Apache-2.0
//
// The memory that the sequences of a model take their state from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/model/state/state_shape.h"

namespace edgemoe {

constexpr std::uint64_t kStateBlockCountMax = 1u << 20;

struct StateLimits {
  // Positions that layers which look back at all of them keep, for all sequences together. Layers
  // with a window always have room for all sequences.
  std::uint64_t token_capacity = 0;
  std::uint32_t sequences_max = 1;   // that exist at a time
  std::uint32_t context_tokens = 0;  // longest sequence
  std::uint32_t rows_max = 1;        // rows of one sequence in one step
};

// Blocks of keys and values for each group of layers, and places for recurrent state. Address space
// is taken once; memory is the system's until a sequence takes it, and again when it gives it back.
// Owned by the engine; outlives its sequences. Confined to the engine's thread (rows of different
// positions may be written by the pool's threads during a step).
class StatePool {
 public:
  // Bytes when all of it is taken: what a plan counts.
  static std::uint64_t Bytes(const StateShape& shape, const StateLimits& limits);

  // INVALID_ARGUMENT for limits of 0, or more than kStateBlockCountMax blocks; RESOURCE_EXHAUSTED
  // when memory cannot be had.
  static Result<StatePool> Create(const StateShape& shape, const StateLimits& limits);

  const StateShape& shape() const { return shape_; }
  const StateLimits& limits() const { return limits_; }
  // Of all groups; a sequence of a recurrent model counts as one more.
  std::uint64_t block_count() const;
  std::uint64_t free_block_count() const;

 private:
  friend class SequenceState;
  // Things of one size, numbered.
  struct Store {
    AlignedBuffer memory;
    std::uint64_t item_bytes = 0;
    std::uint32_t item_count = 0;
    std::vector<std::uint32_t> free;  // capacity for all, so that giving back never allocates

    std::byte* Item(std::uint32_t index) const { return memory.data() + index * item_bytes; }
    std::uint32_t Take();
    void GiveBack(std::uint32_t index);
  };
  static Result<Store> CreateStore(std::uint64_t item_bytes, std::uint64_t item_count);

  StateShape shape_;
  StateLimits limits_;
  std::vector<Store> blocks_;  // of each group
  Store recurrent_;            // empty where the model has none
};

}  // namespace edgemoe
