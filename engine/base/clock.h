// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace edgemoe {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr double SecondsOfNs(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

// The seam to time. Monotonic nanoseconds from an arbitrary start. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::uint64_t NowNs() const = 0;
};

class SteadyClock final : public Clock {
 public:
  std::uint64_t NowNs() const override {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
  }
};

}  // namespace edgemoe
