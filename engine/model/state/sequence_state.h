// SPDX-License-Identifier: Apache-2.0
//
// What one sequence keeps from step to step: keys and values of its positions and recurrent state.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/model/state/state_pool.h"

namespace edgemoe {

// Takes memory from its pool as the sequence grows and gives it back when destroyed. A pool that
// has sequences must not be moved. Confined to the engine's thread, but for keys, values and
// recurrent state during a step.
class SequenceState {
 public:
  explicit SequenceState(StatePool& pool) : pool_(&pool), blocks_(pool.shape().groups.size()) {}
  SequenceState(SequenceState&& other) noexcept;
  SequenceState& operator=(SequenceState&&) = delete;
  ~SequenceState();

  // Takes beforehand what [0, token_count) needs in layers that look back at all positions, and the
  // recurrent state. RESOURCE_EXHAUSTED when the pool has too little: nothing was taken.
  Status Reserve(std::uint32_t token_count);
  // Before a step that runs positions [begin, end): makes room for them, and gives back blocks that
  // no row from `begin` on sees. Positions before `begin` were run, or belong to a snapshot that
  // was restored; `begin` 0 starts the sequence anew. RESOURCE_EXHAUSTED when the pool has too
  // little: nothing was taken. REQUIRES: begin <= end <= the pool's context_tokens, and at most its
  // rows_max between them for models with windows.
  Status Prepare(std::uint32_t begin, std::uint32_t end);
  // Whether `position` has room.
  bool Has(std::uint32_t position) const;
  // Blocks and recurrent state that it has.
  std::uint64_t block_count() const;

  // [key_size] and [value_size] of `position` in `layer`; the positions behind it follow in the
  // same block, up to a multiple of kStateBlockTokens. REQUIRES: Has(position), and it is in the
  // layer's window.
  std::uint16_t* Keys(LayerIndex layer, std::uint32_t position) const;
  std::uint16_t* Values(LayerIndex layer, std::uint32_t position) const;
  // [recurrent_size] of `layer`, as the position before left it; zeros before the first.
  float* Recurrent(LayerIndex layer) const;

  // ---- Snapshots ----
  // All that positions from `position` on depend on: they can be run again behind it, in this
  // sequence, another one or another run of the program (same model, same file).

  // Bytes of a snapshot at `position`.
  static std::uint64_t SnapshotBytes(const StateShape& shape, std::uint32_t position);
  // REQUIRES: positions [0, position) were run and none behind them, out.size() ==
  // SnapshotBytes(shape, position).
  void Snapshot(std::uint32_t position, std::span<std::byte> out) const;
  // Replaces what the sequence has. RESOURCE_EXHAUSTED when the pool has too little: the sequence
  // is empty then. REQUIRES: snapshot.size() == SnapshotBytes(shape, position).
  Status Restore(std::uint32_t position, std::span<const std::byte> snapshot);

 private:
  // Blocks in order of position: position p lies in block `blocks[p / kStateBlockTokens - first]`.
  struct Blocks {
    std::uint32_t first = 0;  // those before were given back
    std::vector<std::uint32_t> blocks;

    std::uint32_t end() const { return first + static_cast<std::uint32_t>(blocks.size()); }
  };
  std::uint16_t* At(LayerIndex layer, std::uint32_t position, std::uint64_t plane,
                    std::uint32_t size) const;
  // The blocks of a group that positions [begin, end) and what they see lie in.
  struct Range {
    std::uint32_t first;
    std::uint32_t end;
  };
  Range RangeOf(std::uint32_t group, std::uint32_t begin, std::uint32_t end) const;
  // Whether the group may have these blocks in place of those it has.
  Status CheckRoom(std::uint32_t group, const Range& range) const;
  Status CheckRecurrent() const;
  void TakeRecurrent();
  // Takes the blocks of the range that it does not have, and gives back those before.
  void Hold(std::uint32_t group, const Range& range);
  void GiveBackFirst(std::uint32_t group, std::size_t count);
  void GiveBackAll();
  template <class Copy>
  void ForEachPart(std::uint32_t position, Copy copy) const;

  StatePool* pool_;
  std::vector<Blocks> blocks_;  // of each group
  std::optional<std::uint32_t> recurrent_;
};

}  // namespace edgemoe
