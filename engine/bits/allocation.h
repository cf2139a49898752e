// SPDX-License-Identifier: Apache-2.0
//
// Which of several types each matrix gets, so that the sum of their damages is least for a number
// of bytes, or their bytes for a sum of damages. Pure and deterministic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

struct TypeChoice {
  TensorType type = TensorType::kF32;
  std::uint64_t bytes = 0;
  double damage = 0;  // at least 0; those of all items add up
};

// One decision: a matrix, or several that share their type.
struct AllocationItem {
  std::vector<TypeChoice> choices;  // at least one, in any order
};

struct Allocation {
  std::vector<std::size_t> chosen;  // [items], which of its choices
  std::uint64_t bytes = 0;
  double damage = 0;
};

// Each item goes up the lower convex hull of its choices, the steps of all items in the order of
// damage saved for a byte: at each step this is the optimum for its bytes (the multiplier of the
// Lagrangian is the step's slope). What is left at the end is filled by whichever single change,
// hull or not, saves most. So the result is above the optimum by less than one step's damage.
class Allocator {
 public:
  // Damages that are not finite, and choices that cost no less than a better one, are left out.
  // REQUIRES: each item has a choice of finite damage.
  explicit Allocator(std::span<const AllocationItem> items);

  std::uint64_t least_bytes() const { return least_.bytes; }
  double least_damage() const;

  // OUT_OF_RANGE names least_bytes().
  Result<Allocation> WithinBytes(std::uint64_t bytes_max) const;
  // OUT_OF_RANGE names least_damage().
  Result<Allocation> WithinDamage(double damage_max) const;

  // From the fewest bytes to a ten-thousandth of the damage there: at most count + 1 points, each
  // of a like part of the damage before it.
  struct Point {
    std::uint64_t bytes = 0;
    double damage = 0;
  };
  std::vector<Point> Curve(std::size_t count) const;

 private:
  // From one choice of an item to the next on its hull.
  struct Step {
    std::size_t item = 0;
    std::size_t to = 0;
    std::uint64_t bytes = 0;
    double saved = 0;
  };

  void AddHull(std::size_t item);
  void Fill(std::uint64_t bytes_max, Allocation* allocation) const;

  std::vector<AllocationItem> items_;
  Allocation least_;
  std::vector<Step> steps_;  // of an item in order; best saving for a byte first
};

}  // namespace edgemoe
