// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace edgemoe {

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
