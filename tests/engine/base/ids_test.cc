// SPDX-License-Identifier: Apache-2.0
#include "engine/base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace edgemoe {
namespace {

static_assert(!std::is_convertible_v<LayerIndex, ExpertIndex>);
static_assert(!std::is_convertible_v<std::uint32_t, LayerIndex>);
static_assert(sizeof(TokenId) == sizeof(std::int32_t));

TEST(IdsTest, ComparesByValue) {
  EXPECT_EQ(TokenId{7}, TokenId{7});
  EXPECT_LT(LayerIndex{1}, LayerIndex{2});
  EXPECT_EQ(RequestId{}.value, 0u);
}

TEST(IdsTest, Hashes) {
  const std::unordered_set<ExpertIndex> set = {ExpertIndex{1}, ExpertIndex{2}, ExpertIndex{1}};
  EXPECT_EQ(set.size(), 2u);
  EXPECT_TRUE(set.contains(ExpertIndex{2}));
}

}  // namespace
}  // namespace edgemoe
