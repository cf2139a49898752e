// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace edgemoe {

// When a request that found the queue full may come back: about the time in which one place becomes
// free, from a moving average of how long requests ran. Thread-safe.
class RetryDelay {
 public:
  explicit RetryDelay(std::uint32_t sessions_max) : sessions_max_(sessions_max) {}

  void Observe(std::uint64_t run_ns) {
    const std::uint64_t run_ms = run_ns / 1'000'000;
    // Two that race lose one of their samples: harmless.
    mean_run_ms_ = (7 * mean_run_ms_ + run_ms) / 8;
  }
  std::uint32_t Ms() const {
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(mean_run_ms_ / sessions_max_, kMinMs, kMaxMs));
  }

 private:
  static constexpr std::uint64_t kMinMs = 100;
  static constexpr std::uint64_t kMaxMs = 30'000;
  const std::uint32_t sessions_max_;
  std::atomic<std::uint64_t> mean_run_ms_ = 4'000;  // until something is known
};

}  // namespace edgemoe
