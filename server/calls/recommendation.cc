// SPDX-License-Identifier: Apache-2.0
#include "server/calls/recommendation.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

bool Fits(const ModelChoice& choice) {
  return choice.can_be_used && choice.fits_storage && choice.fits_budget;
}

std::string Decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

// Of those that fit; all are judged by the same measure.
struct Measure {
  bool by_speed = false;

  double Of(const ModelChoice& choice) const {
    return by_speed ? choice.tokens_per_second.value_or(0) : choice.expert_share;
  }
  double enough() const { return by_speed ? kFastEnoughTokensPerSecond : kFastEnoughExpertShare; }
};

// Whether one is better than the other where both are fast enough.
bool HasMore(const ModelChoice& one, const ModelChoice& other) {
  const double bits = std::min(one.bits_per_weight, kBitsEnough);
  const double other_bits = std::min(other.bits_per_weight, kBitsEnough);
  return bits != other_bits ? bits > other_bits : one.bytes < other.bytes;
}

Recommendation NoneOf(std::span<const ModelChoice> choices) {
  if (choices.empty()) return {.index = {}, .reason = "There are no models."};
  const auto usable = std::ranges::count_if(choices, &ModelChoice::can_be_used);
  if (usable == 0) return {.index = {}, .reason = "None of them can be used."};
  // What would have to change least: the smallest of each kind.
  const ModelChoice* least_memory = nullptr;
  const ModelChoice* least_storage = nullptr;
  for (const ModelChoice& choice : choices) {
    if (!choice.can_be_used) continue;
    if (least_memory == nullptr || choice.budget_floor_bytes < least_memory->budget_floor_bytes)
      least_memory = &choice;
    if (least_storage == nullptr || choice.bytes < least_storage->bytes) least_storage = &choice;
  }
  std::string reason = "None of them fits:";
  if (!least_storage->fits_storage)
    reason += " the disk has no room for " + FormatByteSize(least_storage->bytes);
  if (!least_memory->fits_budget)
    reason += std::string(least_storage->fits_storage ? "" : ", and") +
              " the least memory budget that works is " +
              FormatByteSize(least_memory->budget_floor_bytes);
  if (least_storage->fits_storage && least_memory->fits_budget)
    reason += " what the disk has room for wants more memory, and the reverse";
  return {.index = {}, .reason = reason + "."};
}

std::string ReasonFor(const ModelChoice& chosen, const Measure& measure, bool is_enough) {
  const std::string bits = Decimal(chosen.bits_per_weight) + " bits a weight";
  if (measure.by_speed) {
    const std::string speed = Decimal(measure.Of(chosen)) + " tokens a second";
    return is_enough
               ? bits + ", the most of those that fit and write " + Decimal(measure.enough()) +
                     " tokens a second or more: " + speed + " expected."
               : speed + " expected, the most of those that fit; none writes " +
                     Decimal(measure.enough()) + ".";
  }
  const std::string share = Decimal(100 * measure.Of(chosen)) + " % of its experts in memory";
  return is_enough ? bits + ", the most of those that fit with half of their experts in memory: " +
                         share + "."
                   : share + ", the most of those that fit.";
}

}  // namespace

Recommendation Recommend(std::span<const ModelChoice> choices) {
  std::vector<std::size_t> fitting;
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (Fits(choices[i])) fitting.push_back(i);
  if (fitting.empty()) return NoneOf(choices);
  const Measure measure{.by_speed = std::ranges::all_of(fitting, [&](std::size_t i) {
                          return choices[i].tokens_per_second.has_value();
                        })};
  const auto is_enough = [&](std::size_t i) { return measure.Of(choices[i]) >= measure.enough(); };
  const bool some_are = std::ranges::any_of(fitting, is_enough);
  const auto is_better = [&](std::size_t one, std::size_t other) {
    if (some_are && is_enough(one) != is_enough(other)) return is_enough(one);
    if (!some_are && measure.Of(choices[one]) != measure.Of(choices[other]))
      return measure.Of(choices[one]) > measure.Of(choices[other]);
    return HasMore(choices[one], choices[other]);
  };
  const std::size_t best = *std::ranges::min_element(fitting, is_better);
  return {.index = best, .reason = ReasonFor(choices[best], measure, some_are)};
}

}  // namespace edgemoe
