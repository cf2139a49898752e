// SPDX-License-Identifier: Apache-2.0
//
// What earlier estimates were worth: pairs of an expected and a measured speed, the bar that
// follows from them, and what is known since then of a model's routing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace edgemoe {

// Of one model and one size of memory.
struct SpeedPair {
  double expected = 0;  // tokens a second
  double measured = 0;
  std::string model{};  // tells one model from another
  // What was found in memory, as ExpectedHitRate has it; empty: all experts were.
  std::optional<double> miss_exponent{};
  bool operator==(const SpeedPair&) const = default;
};

// The last so many are kept.
constexpr std::size_t kSpeedPairsMax = 64;

// "speed-history.json" in a directory, of the processor that is here. Holds nothing itself; several
// may write, the last one counts.
class SpeedHistory {
 public:
  explicit SpeedHistory(const std::string& directory);

  // Oldest first. Nothing where there is no file, or one that is damaged, of another version or of
  // another processor.
  std::vector<SpeedPair> Read() const;

  // Puts a pair behind the others, of which the oldest goes. INVALID_ARGUMENT for numbers that
  // are not finite and above 0; errors of writing name the path.
  Status Add(const SpeedPair& pair) const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Factors of an expected speed, low <= 1 <= high.
struct SpeedBar {
  double low = 1;
  double high = 1;
  std::uint32_t pair_count = 0;  // that it comes from; 0: it is the default one
};

// With fewer pairs the bar is the default one: what was seen of all kinds of models and machines.
constexpr std::size_t kSpeedPairsMin = 4;
constexpr SpeedBar kDefaultSpeedBar = {.low = 0.6, .high = 1.4, .pair_count = 0};

// What the last pair of this model found; empty: there is none.
std::optional<double> MissExponentOf(std::span<const SpeedPair> pairs, const std::string& model);

// From the 10th to the 90th percentile of measured / expected, and the estimate itself.
SpeedBar BarOf(std::span<const SpeedPair> pairs);

}  // namespace edgemoe
