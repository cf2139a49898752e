// SPDX-License-Identifier: Apache-2.0
//
// Keys and values of all sequences, in binary16, in blocks of kKvBlockTokens positions taken from
// one pool that is allocated once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/model/model_config.h"

namespace edgemoe {

constexpr std::uint32_t kKvBlockTokens = 32;
constexpr std::uint32_t kKvBlockCountMax = 1u << 20;

struct KvShape {
  std::uint32_t layer_count = 0;
  std::uint32_t kv_head_count = 0;
  std::uint32_t head_size = 0;
};

// What the layers of a model keep; all are alike. REQUIRES: the layers are.
KvShape KvShapeOf(const ModelConfig& config);

// The pool. A block holds, for every layer, keys [kKvBlockTokens, kv_head_count, head_size] and
// then values of the same shape. Owned by the engine; outlives its sequences. Confined to the
// engine's thread (rows of different positions may be written by the pool's threads during a step).
class KvCache {
 public:
  // Bytes of one block.
  static std::uint64_t BlockBytes(const KvShape& shape);

  // A pool for `token_capacity` positions, rounded up to blocks. INVALID_ARGUMENT for none, or more
  // than kKvBlockCountMax blocks; RESOURCE_EXHAUSTED when memory cannot be had.
  static Result<KvCache> Create(const KvShape& shape, std::uint64_t token_capacity);

  const KvShape& shape() const { return shape_; }
  std::uint32_t block_count() const { return block_count_; }
  std::uint32_t free_block_count() const { return static_cast<std::uint32_t>(free_.size()); }
  std::uint64_t bytes() const { return memory_.bytes(); }

  // First element of the keys (values) of `layer` in `block`; elements of one position are
  // kv_head_count * head_size apart.
  std::uint16_t* Keys(std::uint32_t block, LayerIndex layer);
  std::uint16_t* Values(std::uint32_t block, LayerIndex layer);

 private:
  friend class KvSequence;
  KvShape shape_;
  std::uint32_t block_count_ = 0;
  std::size_t block_elements_ = 0;
  AlignedBuffer memory_;
  std::vector<std::uint32_t> free_;  // capacity for all blocks, so that giving back never allocates
};

// The blocks of one sequence; gives them back when destroyed. A cache that has sequences must not
// be moved.
class KvSequence {
 public:
  // Invariant: holds ceil(reserved_tokens / kKvBlockTokens) blocks, in order of position.
  explicit KvSequence(KvCache& cache) : cache_(&cache) {}
  KvSequence(KvSequence&& other) noexcept;
  KvSequence& operator=(KvSequence&&) = delete;
  ~KvSequence();

  // Makes room for positions [0, token_count). RESOURCE_EXHAUSTED (nothing taken) when the pool has
  // too few blocks.
  Status Reserve(std::uint64_t token_count);

  // Blocks in order of position: position p lies in block blocks()[p / kKvBlockTokens], at p %
  // kKvBlockTokens.
  std::span<const std::uint32_t> blocks() const { return blocks_; }

 private:
  KvCache* cache_;
  std::vector<std::uint32_t> blocks_;
};

}  // namespace edgemoe
