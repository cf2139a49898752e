// SPDX-License-Identifier: Apache-2.0
//
// Held against all combinations of small random instances.
#include "engine/bits/allocation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kRounding = 1e-9;  // of sums of damages up to about 10

// Some choices are of no use: infinite, dearer than a better one, above the hull, or twice there.
std::vector<AllocationItem> RandomItems(std::uint64_t seed) {
  Random random(seed);
  std::vector<AllocationItem> items(1 + random.NextBelow(5));
  for (AllocationItem& item : items) {
    const std::size_t count = 1 + random.NextBelow(5);
    const std::uint64_t scale = 1 + random.NextBelow(8);
    for (std::size_t i = 0; i < count; ++i)
      item.choices.push_back({.bytes = scale * (1 + random.NextBelow(20)),
                              .damage = random.NextBelow(10) == 0 ? 0 : random.NextUnit()});
    if (random.NextBelow(2) == 0) item.choices.push_back(item.choices.front());
    if (random.NextBelow(2) == 0) item.choices.push_back({.bytes = 1, .damage = kInfinity});
    if (random.NextBelow(4) == 0) item.choices.push_back({.bytes = 1, .damage = std::nan("")});
    std::swap(item.choices.front(), item.choices[random.NextBelow(item.choices.size())]);
  }
  return items;
}

Allocator::Point SumOf(const std::vector<AllocationItem>& items,
                       const std::vector<std::size_t>& chosen) {
  Allocator::Point sum;
  for (std::size_t i = 0; i < items.size(); ++i) {
    sum.bytes += items[i].choices.at(chosen.at(i)).bytes;
    sum.damage += items[i].choices[chosen[i]].damage;
  }
  return sum;
}

// Every combination of finite damage.
std::vector<Allocator::Point> AllSums(const std::vector<AllocationItem>& items) {
  std::vector<Allocator::Point> sums;
  std::vector<std::size_t> chosen(items.size());
  for (;;) {
    if (const auto sum = SumOf(items, chosen); std::isfinite(sum.damage)) sums.push_back(sum);
    std::size_t i = 0;
    while (i < items.size() && ++chosen[i] == items[i].choices.size()) chosen[i++] = 0;
    if (i == items.size()) return sums;
  }
}

double LeastDamage(const std::vector<Allocator::Point>& sums, std::uint64_t bytes_max) {
  double least = kInfinity;
  for (const auto& sum : sums)
    if (sum.bytes <= bytes_max) least = std::fmin(least, sum.damage);
  return least;
}

// Of a single item from one choice to a better one: no step of a hull is longer.
Allocator::Point LongestStep(const std::vector<AllocationItem>& items) {
  Allocator::Point longest;
  for (const AllocationItem& item : items) {
    for (const TypeChoice& a : item.choices) {
      for (const TypeChoice& b : item.choices) {
        if (!std::isfinite(a.damage) || !std::isfinite(b.damage) || a.bytes >= b.bytes) continue;
        longest.bytes = std::max(longest.bytes, b.bytes - a.bytes);
        longest.damage = std::fmax(longest.damage, a.damage - b.damage);
      }
    }
  }
  return longest;
}

TEST(Allocator, IsWithinAStepOfTheOptimum) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const std::vector<AllocationItem> items = RandomItems(seed);
    const std::vector<Allocator::Point> sums = AllSums(items);
    const Allocator allocator(items);
    std::uint64_t least_bytes = sums.front().bytes;
    std::uint64_t most_bytes = 0;
    for (const auto& sum : sums) {
      least_bytes = std::min(least_bytes, sum.bytes);
      most_bytes = std::max(most_bytes, sum.bytes);
    }
    ASSERT_EQ(allocator.least_bytes(), least_bytes) << seed;
    EXPECT_NEAR(allocator.least_damage(), LeastDamage(sums, most_bytes), kRounding) << seed;
    double above = kInfinity;
    for (std::uint64_t bytes_max = least_bytes; bytes_max <= most_bytes; ++bytes_max) {
      const auto found = allocator.WithinBytes(bytes_max);
      ASSERT_TRUE(found);
      const Allocator::Point sum = SumOf(items, found->chosen);
      ASSERT_EQ(found->bytes, sum.bytes) << seed;
      ASSERT_LE(found->bytes, bytes_max) << seed;
      ASSERT_NEAR(found->damage, sum.damage, kRounding) << seed;
      ASSERT_LE(found->damage, LeastDamage(sums, bytes_max) + LongestStep(items).damage + kRounding)
          << seed << ", " << bytes_max;
      above = std::fmin(above, found->damage);
    }
    EXPECT_NEAR(above, allocator.least_damage(), kRounding) << "with all bytes it is the least";
  }
}

TEST(Allocator, IsTheOptimumWhereAStepEnds) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const std::vector<AllocationItem> items = RandomItems(seed);
    const std::vector<Allocator::Point> sums = AllSums(items);
    const Allocator allocator(items);
    const double most = allocator.WithinBytes(allocator.least_bytes())->damage;
    for (int i = 0; i <= 50; ++i) {
      const double damage_max = std::fmax(most * i / 50, allocator.least_damage());
      const auto found = allocator.WithinDamage(damage_max);
      ASSERT_TRUE(found) << seed << ": " << found.error().ToString();
      EXPECT_LE(found->damage, damage_max + kRounding);
      const Allocator::Point sum = SumOf(items, found->chosen);
      ASSERT_EQ(found->bytes, sum.bytes);
      ASSERT_NEAR(found->damage, sum.damage, kRounding);
      EXPECT_NEAR(found->damage, LeastDamage(sums, found->bytes), kRounding) << seed;
      std::uint64_t fewest = found->bytes;
      for (const auto& other : sums)
        if (other.damage <= damage_max) fewest = std::min(fewest, other.bytes);
      EXPECT_LE(found->bytes, fewest + LongestStep(items).bytes) << seed;
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000U);
}

TEST(Allocator, WhatIsLeftIsUsedEvenOffTheHull) {
  // The hull of the first goes from 10 bytes to 30; 20 bytes lie above it.
  const std::vector<AllocationItem> items = {
      {{{.bytes = 10, .damage = 9}, {.bytes = 20, .damage = 8}, {.bytes = 30, .damage = 1}}}};
  const Allocator allocator(items);
  EXPECT_EQ(allocator.WithinBytes(19)->damage, 9);
  EXPECT_EQ(allocator.WithinBytes(29)->damage, 8);
  EXPECT_EQ(allocator.WithinBytes(30)->damage, 1);
  EXPECT_EQ(allocator.WithinDamage(8)->bytes, 30U) << "the hull only";
}

TEST(Allocator, AnItemWithOneChoiceKeepsIt) {
  const std::vector<AllocationItem> items = {
      {{{.bytes = 100, .damage = 5}}},
      {{{.bytes = 1, .damage = kInfinity}, {.bytes = 7, .damage = 0}}}};
  const Allocator allocator(items);
  EXPECT_EQ(allocator.least_bytes(), 107U);
  EXPECT_EQ(allocator.WithinBytes(1000)->chosen, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(allocator.least_damage(), 5);
  EXPECT_THAT(allocator.Curve(10), testing::SizeIs(1));
}

TEST(Allocator, WhatCannotBeHadIsNamed) {
  const std::vector<AllocationItem> items = {
      {{{.bytes = 2048, .damage = 0.5}, {.bytes = 4096, .damage = 0.000001}}}};
  const Allocator allocator(items);
  const auto bytes = allocator.WithinBytes(1024);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().code(), StatusCode::kOutOfRange);
  EXPECT_THAT(bytes.error().message(), HasSubstr("found 1.00 KiB"));
  EXPECT_THAT(bytes.error().message(), HasSubstr("2.00 KiB (2048 bytes)"));
  const auto damage = allocator.WithinDamage(1e-9);
  ASSERT_FALSE(damage);
  EXPECT_EQ(damage.error().code(), StatusCode::kOutOfRange);
  EXPECT_THAT(damage.error().message(), HasSubstr("found 1e-09"));
  EXPECT_THAT(damage.error().message(), HasSubstr("gives is 1e-06"));
  EXPECT_FALSE(allocator.WithinDamage(std::nan("")));
}

TEST(Allocator, TheCurveFalls) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::vector<AllocationItem> items = RandomItems(seed);
    const Allocator allocator(items);
    const auto curve = allocator.Curve(6);
    ASSERT_FALSE(curve.empty());
    EXPECT_LE(curve.size(), 7U);
    EXPECT_EQ(curve.front().bytes, allocator.least_bytes());
    for (std::size_t i = 0; i < curve.size(); ++i) {
      EXPECT_NEAR(curve[i].damage, allocator.WithinBytes(curve[i].bytes)->damage, kRounding);
      if (i == 0) continue;
      EXPECT_GT(curve[i].bytes, curve[i - 1].bytes);
      EXPECT_LT(curve[i].damage, curve[i - 1].damage);
    }
  }
}

// As many items as a large model has, of nearly equal slopes: steps of an item stay in their order.
TEST(Allocator, TheSameAgainAndWhateverTheOrderOfChoices) {
  Random random(5);
  std::vector<AllocationItem> items(3000);
  for (AllocationItem& item : items) {
    double damage = 1;
    for (std::uint64_t bytes = 1000; bytes < 1010; ++bytes) {
      item.choices.push_back({.bytes = bytes, .damage = damage});
      damage -= 0.1 * (1 + 1e-15 * static_cast<double>(random.NextBelow(3)));
    }
  }
  std::vector<AllocationItem> turned = items;
  for (AllocationItem& item : turned) std::ranges::reverse(item.choices);
  const std::uint64_t bytes_max = 3000 * 1003 + 7;
  const Allocation first = *Allocator(items).WithinBytes(bytes_max);
  const Allocation again = *Allocator(items).WithinBytes(bytes_max);
  const Allocation other = *Allocator(turned).WithinBytes(bytes_max);
  EXPECT_EQ(first.chosen, again.chosen);
  EXPECT_EQ(first.bytes, bytes_max);
  EXPECT_EQ(first.bytes, SumOf(items, first.chosen).bytes);
  for (std::size_t i = 0; i < items.size(); ++i)
    ASSERT_EQ(first.chosen[i], items[i].choices.size() - 1 - other.chosen[i]);
}

}  // namespace
}  // namespace edgemoe
