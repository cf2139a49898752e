// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/allocation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr double kCurveRange = 1e-4;  // of the damage at the fewest bytes

std::string DamageText(double damage) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", damage);
  return text;
}

}  // namespace

Allocator::Allocator(std::span<const AllocationItem> items) : items_(items.begin(), items.end()) {
  least_.chosen.resize(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) AddHull(i);
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) {
    return a.saved / static_cast<double>(a.bytes) > b.saved / static_cast<double>(b.bytes);
  });
}

void Allocator::AddHull(std::size_t item) {
  const std::vector<TypeChoice>& choices = items_[item].choices;
  std::vector<std::size_t> order(choices.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](std::size_t i) { return !std::isfinite(choices[i].damage); });
  EDGEMOE_CHECK(!order.empty(), "an item has a choice");
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return choices[a].bytes != choices[b].bytes ? choices[a].bytes < choices[b].bytes
                                                : choices[a].damage < choices[b].damage;
  });
  const auto slope = [&](std::size_t from, std::size_t to) {
    return (choices[from].damage - choices[to].damage) /
           static_cast<double>(choices[to].bytes - choices[from].bytes);
  };
  std::vector<std::size_t> hull;
  for (const std::size_t choice : order) {
    if (!hull.empty() && choices[choice].damage >= choices[hull.back()].damage) continue;
    while (hull.size() >= 2 &&
           slope(hull[hull.size() - 2], hull.back()) <= slope(hull.back(), choice))
      hull.pop_back();
    hull.push_back(choice);
  }
  least_.chosen[item] = hull.front();
  least_.bytes += choices[hull.front()].bytes;
  least_.damage += choices[hull.front()].damage;
  for (std::size_t i = 1; i < hull.size(); ++i) {
    steps_.push_back({.item = item,
                      .to = hull[i],
                      .bytes = choices[hull[i]].bytes - choices[hull[i - 1]].bytes,
                      .saved = choices[hull[i - 1]].damage - choices[hull[i]].damage});
  }
}

double Allocator::least_damage() const {
  double damage = 0;
  for (const AllocationItem& item : items_) {
    double least = item.choices.front().damage;
    for (const TypeChoice& choice : item.choices)
      if (std::isfinite(choice.damage)) least = std::fmin(least, choice.damage);
    damage += least;
  }
  return damage;
}

Result<Allocation> Allocator::WithinBytes(std::uint64_t bytes_max) const {
  if (bytes_max < least_.bytes)
    return Failure(OutOfRangeError("found " + FormatByteSize(bytes_max) +
                                   " for weights, the least that any choice of types takes is " +
                                   FormatByteSize(least_.bytes) + " (" +
                                   std::to_string(least_.bytes) + " bytes)"));
  Allocation allocation = least_;
  std::vector<bool> stuck(items_.size());
  for (const Step& step : steps_) {
    if (stuck[step.item]) continue;
    if (allocation.bytes + step.bytes > bytes_max) {
      stuck[step.item] = true;  // its later steps start from this one
      continue;
    }
    allocation.chosen[step.item] = step.to;
    allocation.bytes += step.bytes;
    allocation.damage -= step.saved;
  }
  Fill(bytes_max, &allocation);
  return allocation;
}

// Bounded: each change saves damage, and an item goes through its choices at most once.
void Allocator::Fill(std::uint64_t bytes_max, Allocation* allocation) const {
  for (;;) {
    std::size_t best_item = items_.size();
    std::size_t best_choice = 0;
    double best_saved = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const TypeChoice& now = items_[i].choices[allocation->chosen[i]];
      for (std::size_t c = 0; c < items_[i].choices.size(); ++c) {
        const TypeChoice& other = items_[i].choices[c];
        const double saved = now.damage - other.damage;
        if (!(saved > best_saved) || allocation->bytes - now.bytes + other.bytes > bytes_max)
          continue;
        best_item = i;
        best_choice = c;
        best_saved = saved;
      }
    }
    if (best_item == items_.size()) break;
    const TypeChoice& now = items_[best_item].choices[allocation->chosen[best_item]];
    const TypeChoice& other = items_[best_item].choices[best_choice];
    allocation->bytes = allocation->bytes - now.bytes + other.bytes;
    allocation->chosen[best_item] = best_choice;
  }
  allocation->damage = 0;
  for (std::size_t i = 0; i < items_.size(); ++i)
    allocation->damage += items_[i].choices[allocation->chosen[i]].damage;
}

Result<Allocation> Allocator::WithinDamage(double damage_max) const {
  Allocation allocation = least_;
  for (const Step& step : steps_) {
    if (allocation.damage <= damage_max) return allocation;
    allocation.chosen[step.item] = step.to;
    allocation.bytes += step.bytes;
    allocation.damage -= step.saved;
  }
  if (allocation.damage <= damage_max * (1 + 1e-9) + 1e-12) return allocation;
  return Failure(OutOfRangeError("found " + DamageText(damage_max) +
                                 ", the least that any choice of types gives is " +
                                 DamageText(least_damage())));
}

std::vector<Allocator::Point> Allocator::Curve(std::size_t count) const {
  const double ratio =
      std::pow(kCurveRange, 1 / static_cast<double>(std::max<std::size_t>(count, 1)));
  std::vector<Point> curve = {{least_.bytes, least_.damage}};
  Point at = curve.front();
  for (const Step& step : steps_) {
    at.bytes += step.bytes;
    at.damage -= step.saved;
    if (at.damage > curve.back().damage * ratio) continue;
    if (at.damage < least_.damage * kCurveRange) break;
    curve.push_back(at);
  }
  return curve;
}

}  // namespace edgemoe
