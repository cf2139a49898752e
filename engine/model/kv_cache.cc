// SPDX-License-Identifier: Apache-2.0
#include "engine/model/kv_cache.h"

#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// Elements of the keys, or of the values, of one layer in a block.
std::size_t PlaneElements(const KvShape& shape) {
  return std::size_t{kKvBlockTokens} * shape.kv_head_count * shape.head_size;
}

}  // namespace

KvShape KvShapeOf(const ModelConfig& config) {
  const AttentionConfig& first = config.layers.front().attention;
  for (const LayerConfig& layer : config.layers)
    EDGEMOE_CHECK(layer.attention.kv_head_count == first.kv_head_count &&
                      layer.attention.head_size == first.head_size,
                  "the layers keep keys and values of one shape");
  return {config.layer_count(), first.kv_head_count, first.head_size};
}

std::uint64_t KvCache::BlockBytes(const KvShape& shape) {
  return std::uint64_t{2} * shape.layer_count * PlaneElements(shape) * sizeof(std::uint16_t);
}

Result<KvCache> KvCache::Create(const KvShape& shape, std::uint64_t token_capacity) {
  const std::uint64_t block_count =
      token_capacity / kKvBlockTokens + (token_capacity % kKvBlockTokens != 0 ? 1 : 0);
  const std::uint64_t block_bytes = BlockBytes(shape);
  if (block_count == 0 || block_count > kKvBlockCountMax ||
      block_bytes > UINT64_MAX / kKvBlockCountMax) {
    return Failure(
        InvalidArgumentError("KV cache: found room for " + std::to_string(token_capacity) +
                             " tokens, accepted are 1 to " +
                             std::to_string(std::uint64_t{kKvBlockCountMax} * kKvBlockTokens)));
  }
  KvCache cache;
  cache.shape_ = shape;
  cache.block_count_ = static_cast<std::uint32_t>(block_count);
  cache.block_elements_ = block_bytes / sizeof(std::uint16_t);
  EDGEMOE_ASSIGN_OR_FAIL(cache.memory_, AlignedBuffer::Allocate(block_count * block_bytes));
  cache.free_.reserve(block_count);
  // Taken from the back: block 0 first.
  for (std::uint32_t block = cache.block_count_; block > 0; --block) {
    cache.free_.push_back(block - 1);
  }
  return cache;
}

std::uint16_t* KvCache::Keys(std::uint32_t block, LayerIndex layer) {
  EDGEMOE_DCHECK(block < block_count_ && layer.value < shape_.layer_count, "outside the KV cache");
  return reinterpret_cast<std::uint16_t*>(memory_.data()) + block * block_elements_ +
         std::size_t{2} * layer.value * PlaneElements(shape_);
}

std::uint16_t* KvCache::Values(std::uint32_t block, LayerIndex layer) {
  return Keys(block, layer) + PlaneElements(shape_);
}

KvSequence::KvSequence(KvSequence&& other) noexcept
    : cache_(std::exchange(other.cache_, nullptr)), blocks_(std::move(other.blocks_)) {}

KvSequence::~KvSequence() {
  if (cache_ == nullptr) return;  // moved from
  // Last block first, so that the next sequence takes them in the same order.
  cache_->free_.insert(cache_->free_.end(), blocks_.rbegin(), blocks_.rend());
}

Status KvSequence::Reserve(std::uint64_t token_count) {
  const std::uint64_t wanted =
      token_count / kKvBlockTokens + (token_count % kKvBlockTokens != 0 ? 1 : 0);
  if (wanted <= blocks_.size()) return OkStatus();
  const std::uint64_t missing = wanted - blocks_.size();
  if (missing > cache_->free_.size()) {
    return ResourceExhaustedError("KV cache: found " + std::to_string(cache_->free_.size()) +
                                  " free blocks of " + std::to_string(kKvBlockTokens) +
                                  " tokens, needed " + std::to_string(missing));
  }
  blocks_.reserve(wanted);
  for (std::uint64_t i = 0; i < missing; ++i) {
    blocks_.push_back(cache_->free_.back());
    cache_->free_.pop_back();
  }
  return OkStatus();
}

}  // namespace edgemoe
