// SPDX-License-Identifier: Apache-2.0
#include "engine/model/state/sequence_state.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// The first position that a row at `begin` sees, and with it all rows behind.
std::uint32_t FirstSeen(const StateGroup& group, std::uint32_t begin) {
  if (group.window == 0 || begin < group.window) return 0;
  return begin - group.window + 1;
}

std::uint32_t EndBlock(std::uint32_t end) {
  return end / kStateBlockTokens + (end % kStateBlockTokens != 0 ? 1 : 0);
}

// Positions of a snapshot: what a row at `position` sees.
std::uint32_t SnapshotBegin(const StateGroup& group, std::uint32_t position) {
  return std::min(FirstSeen(group, position), position);
}

}  // namespace

SequenceState::SequenceState(SequenceState&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      blocks_(std::move(other.blocks_)),
      recurrent_(other.recurrent_) {}

SequenceState::~SequenceState() {
  if (pool_ != nullptr) GiveBackAll();  // null: moved from
}

void SequenceState::GiveBackAll() {
  for (std::uint32_t group = 0; group < blocks_.size(); ++group) {
    // Last block first, so that the next sequence takes them in the same order.
    std::vector<std::uint32_t>& own = blocks_[group].blocks;
    for (auto block = own.rbegin(); block != own.rend(); ++block)
      pool_->blocks_[group].GiveBack(*block);
    blocks_[group] = {};
  }
  if (recurrent_) pool_->recurrent_.GiveBack(*recurrent_);
  recurrent_.reset();
}

SequenceState::Range SequenceState::RangeOf(std::uint32_t group, std::uint32_t begin,
                                            std::uint32_t end) const {
  return {FirstSeen(pool_->shape_.groups[group], begin) / kStateBlockTokens, EndBlock(end)};
}

Status SequenceState::CheckRoom(std::uint32_t group, const Range& range) const {
  const Blocks& own = blocks_[group];
  const bool restarts = own.first > range.first;
  const std::uint32_t end = restarts ? range.end : std::max(own.end(), range.end);
  const std::uint64_t needed = end - std::min(end, range.first);
  const std::uint64_t room = pool_->blocks_[group].free.size() + own.blocks.size();
  if (needed <= room) return OkStatus();
  return ResourceExhaustedError("sequence state: found " + std::to_string(room) +
                                " free blocks of " + std::to_string(kStateBlockTokens) +
                                " tokens, needed " + std::to_string(needed));
}

Status SequenceState::CheckRecurrent() const {
  if (pool_->shape_.recurrent_floats == 0 || recurrent_ || !pool_->recurrent_.free.empty())
    return OkStatus();
  return ResourceExhaustedError("sequence state: all " +
                                std::to_string(pool_->recurrent_.item_count) +
                                " places for recurrent state are taken");
}

void SequenceState::TakeRecurrent() {
  if (pool_->shape_.recurrent_floats > 0 && !recurrent_) recurrent_ = pool_->recurrent_.Take();
}

void SequenceState::GiveBackFirst(std::uint32_t group, std::size_t count) {
  Blocks& own = blocks_[group];
  for (std::size_t i = 0; i < count; ++i) pool_->blocks_[group].GiveBack(own.blocks[i]);
  own.blocks.erase(own.blocks.begin(), own.blocks.begin() + static_cast<std::ptrdiff_t>(count));
  own.first += static_cast<std::uint32_t>(count);
}

void SequenceState::Hold(std::uint32_t group, const Range& range) {
  Blocks& own = blocks_[group];
  if (own.first > range.first) GiveBackFirst(group, own.blocks.size());
  GiveBackFirst(group, std::min<std::size_t>(range.first - std::min(range.first, own.first),
                                             own.blocks.size()));
  if (own.blocks.empty()) own.first = range.first;
  while (own.end() < range.end) own.blocks.push_back(pool_->blocks_[group].Take());
}

Status SequenceState::Reserve(std::uint32_t token_count) {
  const auto looks_back = [&](std::uint32_t group) {
    return pool_->shape_.groups[group].window == 0;
  };
  EDGEMOE_RETURN_IF_ERROR(CheckRecurrent());
  for (std::uint32_t group = 0; group < blocks_.size(); ++group)
    if (looks_back(group))
      EDGEMOE_RETURN_IF_ERROR(CheckRoom(group, RangeOf(group, 0, token_count)));
  TakeRecurrent();
  for (std::uint32_t group = 0; group < blocks_.size(); ++group)
    if (looks_back(group)) Hold(group, RangeOf(group, 0, token_count));
  return OkStatus();
}

Status SequenceState::Prepare(std::uint32_t begin, std::uint32_t end) {
  EDGEMOE_CHECK(begin <= end && end <= pool_->limits_.context_tokens, "beyond the context");
  EDGEMOE_RETURN_IF_ERROR(CheckRecurrent());
  for (std::uint32_t group = 0; group < blocks_.size(); ++group)
    EDGEMOE_RETURN_IF_ERROR(CheckRoom(group, RangeOf(group, begin, end)));
  TakeRecurrent();
  for (std::uint32_t group = 0; group < blocks_.size(); ++group)
    Hold(group, RangeOf(group, begin, end));
  if (recurrent_ && begin == 0)
    std::memset(pool_->recurrent_.Item(*recurrent_), 0, pool_->recurrent_.item_bytes);
  return OkStatus();
}

bool SequenceState::Has(std::uint32_t position) const {
  if (pool_->shape_.recurrent_floats > 0 && !recurrent_) return false;
  return std::ranges::all_of(blocks_, [&](const Blocks& own) {
    const std::uint32_t block = position / kStateBlockTokens;
    return block >= own.first && block < own.end();
  });
}

std::uint64_t SequenceState::block_count() const {
  std::uint64_t count = recurrent_ ? 1 : 0;
  for (const Blocks& own : blocks_) count += own.blocks.size();
  return count;
}

std::uint16_t* SequenceState::At(LayerIndex layer, std::uint32_t position, std::uint64_t plane,
                                 std::uint32_t size) const {
  const std::uint32_t group = pool_->shape_.layers[layer.value].group;
  const Blocks& own = blocks_[group];
  const std::uint32_t index = position / kStateBlockTokens - own.first;
  EDGEMOE_DCHECK(index < own.blocks.size(), "a position without room");
  return reinterpret_cast<std::uint16_t*>(pool_->blocks_[group].Item(own.blocks[index])) + plane +
         std::uint64_t{position % kStateBlockTokens} * size;
}

std::uint16_t* SequenceState::Keys(LayerIndex layer, std::uint32_t position) const {
  const LayerState& state = pool_->shape_.layers[layer.value];
  return At(layer, position, state.keys, state.key_size);
}

std::uint16_t* SequenceState::Values(LayerIndex layer, std::uint32_t position) const {
  const LayerState& state = pool_->shape_.layers[layer.value];
  return At(layer, position, state.values, state.value_size);
}

float* SequenceState::Recurrent(LayerIndex layer) const {
  EDGEMOE_DCHECK(recurrent_.has_value(), "no recurrent state");
  return reinterpret_cast<float*>(pool_->recurrent_.Item(*recurrent_)) +
         pool_->shape_.layers[layer.value].recurrent;
}

std::uint64_t SequenceState::SnapshotBytes(const StateShape& shape, std::uint32_t position) {
  std::uint64_t bytes = shape.recurrent_floats * sizeof(float);
  for (const StateGroup& group : shape.groups)
    bytes += (position - SnapshotBegin(group, position)) *
             (group.block_elements / kStateBlockTokens) * sizeof(std::uint16_t);
  return bytes;
}

// Calls copy(memory, bytes) for each part of a snapshot in its order: layer by layer the keys and
// values of each block, then the recurrent state.
template <class Copy>
void SequenceState::ForEachPart(std::uint32_t position, Copy copy) const {
  const auto copy_plane = [&](std::uint32_t begin, std::uint32_t size, auto at) {
    for (std::uint32_t p = begin; p < position;) {
      const std::uint32_t end =
          std::min(position, p / kStateBlockTokens * kStateBlockTokens + kStateBlockTokens);
      copy(reinterpret_cast<std::byte*>(at(p)),
           std::size_t{end - p} * size * sizeof(std::uint16_t));
      p = end;
    }
  };
  for (std::uint32_t i = 0; i < pool_->shape_.layers.size(); ++i) {
    const LayerState& state = pool_->shape_.layers[i];
    if (state.key_size == 0) continue;
    const std::uint32_t begin = SnapshotBegin(pool_->shape_.groups[state.group], position);
    copy_plane(begin, state.key_size, [&](std::uint32_t p) { return Keys(LayerIndex{i}, p); });
    copy_plane(begin, state.value_size, [&](std::uint32_t p) { return Values(LayerIndex{i}, p); });
  }
  if (recurrent_) copy(pool_->recurrent_.Item(*recurrent_), pool_->recurrent_.item_bytes);
}

void SequenceState::Snapshot(std::uint32_t position, std::span<std::byte> out) const {
  EDGEMOE_CHECK(out.size() == SnapshotBytes(pool_->shape_, position), "room for a snapshot");
  std::size_t at = 0;
  ForEachPart(position, [&](const std::byte* memory, std::size_t bytes) {
    std::memcpy(out.data() + at, memory, bytes);
    at += bytes;
  });
  EDGEMOE_CHECK(at == out.size(), "a snapshot is whole");
}

Status SequenceState::Restore(std::uint32_t position, std::span<const std::byte> snapshot) {
  EDGEMOE_CHECK(snapshot.size() == SnapshotBytes(pool_->shape_, position), "a snapshot is whole");
  GiveBackAll();
  if (position == 0) return OkStatus();
  EDGEMOE_RETURN_IF_ERROR(CheckRecurrent());
  const auto range_of = [&](std::uint32_t group) {
    const std::uint32_t begin = SnapshotBegin(pool_->shape_.groups[group], position);
    return Range{begin / kStateBlockTokens, EndBlock(position)};
  };
  for (std::uint32_t group = 0; group < blocks_.size(); ++group)
    EDGEMOE_RETURN_IF_ERROR(CheckRoom(group, range_of(group)));
  TakeRecurrent();
  for (std::uint32_t group = 0; group < blocks_.size(); ++group) Hold(group, range_of(group));
  std::size_t at = 0;
  ForEachPart(position, [&](std::byte* memory, std::size_t bytes) {
    std::memcpy(memory, snapshot.data() + at, bytes);
    at += bytes;
  });
  return OkStatus();
}

}  // namespace edgemoe
