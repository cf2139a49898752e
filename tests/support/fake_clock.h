// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/clock.h"

namespace edgemoe {

// Time that passes only when a test says so. Thread-safe.
class FakeClock final : public Clock {
 public:
  std::uint64_t NowNs() const override { return now_ns_; }
  void Advance(std::uint64_t ns) { now_ns_ += ns; }

 private:
  std::atomic<std::uint64_t> now_ns_ = 0;
};

}  // namespace edgemoe
