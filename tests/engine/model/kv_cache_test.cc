// SPDX-License-Identifier: Apache-2.0
#include "engine/model/kv_cache.h"

#include <gtest/gtest.h>

#include <set>

namespace edgemoe {
namespace {

constexpr KvShape kShape = {.layer_count = 3, .kv_head_count = 2, .head_size = 8};

TEST(KvCache, RoundsUpToBlocks) {
  const auto cache = KvCache::Create(kShape, 33);
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->block_count(), 2U);
  EXPECT_EQ(cache->free_block_count(), 2U);
  EXPECT_EQ(KvCache::BlockBytes(kShape), 2U * 3 * 32 * 2 * 8 * 2);
  EXPECT_GE(cache->bytes(), 2 * KvCache::BlockBytes(kShape));
}

TEST(KvCache, RefusesNothingAndTooMuch) {
  EXPECT_EQ(KvCache::Create(kShape, 0).error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(KvCache::Create(kShape, UINT64_MAX).error().code(), StatusCode::kInvalidArgument);
  const KvShape huge = {.layer_count = 1024, .kv_head_count = 1024, .head_size = 1024};
  EXPECT_EQ(KvCache::Create(huge, std::uint64_t{1} << 25).error().code(),
            StatusCode::kResourceExhausted);
}

TEST(KvCache, PlanesDoNotOverlap) {
  auto cache = KvCache::Create(kShape, 64);
  ASSERT_TRUE(cache);
  const std::size_t plane = std::size_t{kKvBlockTokens} * 2 * 8;
  std::set<const std::uint16_t*> starts;
  for (std::uint32_t block = 0; block < 2; ++block) {
    for (std::uint32_t layer = 0; layer < 3; ++layer) {
      starts.insert(cache->Keys(block, LayerIndex{layer}));
      starts.insert(cache->Values(block, LayerIndex{layer}));
    }
  }
  ASSERT_EQ(starts.size(), 12U);
  for (auto i = starts.begin(); std::next(i) != starts.end(); ++i) {
    EXPECT_GE(static_cast<std::size_t>(*std::next(i) - *i), plane);
  }
  const auto used = static_cast<std::size_t>(*starts.rbegin() - *starts.begin()) + plane;
  EXPECT_LE(used * sizeof(std::uint16_t), cache->bytes());
}

TEST(KvSequence, TakesAndGivesBackBlocks) {
  auto cache = KvCache::Create(kShape, 32 * 4);
  ASSERT_TRUE(cache);
  {
    KvSequence a(*cache);
    ASSERT_TRUE(a.Reserve(0).ok());
    EXPECT_EQ(a.blocks().size(), 0U);
    ASSERT_TRUE(a.Reserve(32).ok());
    EXPECT_EQ(a.blocks().size(), 1U);
    ASSERT_TRUE(a.Reserve(33).ok());
    ASSERT_TRUE(a.Reserve(5).ok());  // less than it has: nothing changes
    EXPECT_EQ(a.blocks().size(), 2U);

    KvSequence b(*cache);
    const Status full = b.Reserve(32 * 3);
    EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(b.blocks().size(), 0U);
    EXPECT_EQ(cache->free_block_count(), 2U);
    ASSERT_TRUE(b.Reserve(64).ok());
    std::set<std::uint32_t> blocks(a.blocks().begin(), a.blocks().end());
    blocks.insert(b.blocks().begin(), b.blocks().end());
    EXPECT_EQ(blocks.size(), 4U);
    EXPECT_EQ(cache->free_block_count(), 0U);

    const KvSequence moved(std::move(a));
    EXPECT_EQ(moved.blocks().size(), 2U);
    EXPECT_EQ(cache->free_block_count(), 0U);
  }
  EXPECT_EQ(cache->free_block_count(), 4U);
}

}  // namespace
}  // namespace edgemoe
