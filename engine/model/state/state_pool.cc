// SPDX-License-Identifier: Apache-2.0
#include "engine/model/state/state_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t BlocksOf(std::uint64_t tokens) {
  return tokens / kStateBlockTokens + (tokens % kStateBlockTokens != 0 ? 1 : 0);
}

std::uint64_t BlockBytes(const StateGroup& group) {
  return group.block_elements * sizeof(std::uint16_t);
}

// A window that begins in the middle of a block and ends in the middle of another.
std::uint64_t BlocksOfWindow(const StateGroup& group, const StateLimits& limits) {
  const std::uint64_t kept = std::uint64_t{group.window} + limits.rows_max - 1;
  return std::min(BlocksOf(kept) + 1, BlocksOf(limits.context_tokens));
}

std::uint64_t BlockCount(const StateGroup& group, const StateLimits& limits) {
  if (group.window == 0) return BlocksOf(limits.token_capacity);
  return limits.sequences_max * BlocksOfWindow(group, limits);
}

Status CheckLimits(const StateShape& shape, const StateLimits& limits) {
  const auto refuse = [](const std::string& what, std::uint64_t found, std::uint64_t most) {
    return InvalidArgumentError("sequence state: found room for " + std::to_string(found) + " " +
                                what + ", accepted are 1 to " + std::to_string(most));
  };
  constexpr std::uint64_t kTokensMax = kStateBlockCountMax * kStateBlockTokens;
  if (limits.token_capacity == 0 || limits.token_capacity > kTokensMax)
    return refuse("tokens", limits.token_capacity, kTokensMax);
  if (limits.context_tokens == 0 || limits.context_tokens > kTokensMax)
    return refuse("tokens of a sequence", limits.context_tokens, kTokensMax);
  if (limits.sequences_max == 0 || limits.sequences_max > kStateBlockCountMax)
    return refuse("sequences", limits.sequences_max, kStateBlockCountMax);
  for (const StateGroup& group : shape.groups)
    if (BlockBytes(group) > UINT64_MAX / kStateBlockCountMax ||
        BlockCount(group, limits) > kStateBlockCountMax)
      return refuse("blocks", BlockCount(group, limits), kStateBlockCountMax);
  return OkStatus();
}

}  // namespace

std::uint32_t StatePool::Store::Take() {
  const std::uint32_t index = free.back();
  free.pop_back();
  return index;
}

void StatePool::Store::GiveBack(std::uint32_t index) {
  free.push_back(index);
  memory.GiveBack(index * item_bytes, item_bytes);
}

std::uint64_t StatePool::Bytes(const StateShape& shape, const StateLimits& limits) {
  std::uint64_t bytes = limits.sequences_max * shape.recurrent_floats * sizeof(float);
  for (const StateGroup& group : shape.groups)
    bytes += BlockCount(group, limits) * BlockBytes(group);
  return bytes;
}

Result<StatePool::Store> StatePool::CreateStore(std::uint64_t item_bytes,
                                                std::uint64_t item_count) {
  Store store;
  store.item_bytes = item_bytes;
  store.item_count = static_cast<std::uint32_t>(item_count);
  EDGEMOE_ASSIGN_OR_FAIL(store.memory, AlignedBuffer::Allocate(item_bytes * item_count));
  store.free.reserve(item_count);
  // Taken from the back: item 0 first.
  for (std::uint32_t index = store.item_count; index > 0; --index) store.free.push_back(index - 1);
  return store;
}

Result<StatePool> StatePool::Create(const StateShape& shape, const StateLimits& limits) {
  EDGEMOE_FAIL_IF_ERROR(CheckLimits(shape, limits));
  StatePool pool;
  pool.shape_ = shape;
  pool.limits_ = limits;
  for (const StateGroup& group : shape.groups) {
    EDGEMOE_ASSIGN_OR_FAIL(Store store, CreateStore(BlockBytes(group), BlockCount(group, limits)));
    pool.blocks_.push_back(std::move(store));
  }
  if (shape.recurrent_floats == 0) return pool;
  EDGEMOE_ASSIGN_OR_FAIL(pool.recurrent_,
                         CreateStore(shape.recurrent_floats * sizeof(float), limits.sequences_max));
  return pool;
}

std::uint64_t StatePool::block_count() const {
  std::uint64_t count = recurrent_.item_count;
  for (const Store& store : blocks_) count += store.item_count;
  return count;
}

std::uint64_t StatePool::free_block_count() const {
  std::uint64_t count = recurrent_.free.size();
  for (const Store& store : blocks_) count += store.free.size();
  return count;
}

}  // namespace edgemoe
