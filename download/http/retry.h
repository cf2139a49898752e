// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "engine/base/random.h"

namespace edgemoe {

struct RetryOptions {
  // Without progress in between.
  std::uint32_t attempts_max = 8;
  std::uint64_t first_wait_ms = 1000;  // doubles with each attempt, up to wait_max_ms
  std::uint64_t wait_max_ms = 60'000;
  // A server that asks for more is taken at its word: the download ends, and says so.
  std::uint64_t retry_after_max_s = 600;
  // The seam to time: false when the wait was cut short. Empty: really waits.
  std::function<bool(std::uint64_t wait_ms)> wait;
};

// When to try again, and when no more. Thread-compatible.
class RetrySchedule {
 public:
  explicit RetrySchedule(const RetryOptions& options)
      : options_(options), random_(kSeed), wait_ms_(options.first_wait_ms) {}

  // Milliseconds until the next attempt, half to all of the step; `retry_after_s` is what the
  // server asks for. Nothing: give up.
  std::optional<std::uint64_t> NextWaitMs(std::optional<std::uint64_t> retry_after_s);
  // The attempt before got further: counting starts anew.
  void Progressed();

  std::uint32_t attempts() const { return attempts_; }

 private:
  static constexpr std::uint64_t kSeed = 1;

  const RetryOptions options_;
  Random random_;
  std::uint32_t attempts_ = 0;
  std::uint64_t wait_ms_;
};

}  // namespace edgemoe
