// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

namespace edgemoe {

// What a thread was seen to do: it gets on while `beats` grows, and has nothing to do while it
// rests.
struct Pulse {
  std::uint64_t beats = 0;
  bool rests = false;
};

// Signs of life of one thread, for another that must tell long work from work that hangs. A beat is
// something done that takes a second at most on slow machines: a layer, a read that has landed.
//
// Threads: Beat and Rest are the watched thread's; any thread may look.
class Heartbeat {
 public:
  void Beat() {
    beats_.store(beats_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    rests_.store(false, std::memory_order_relaxed);
  }
  // Waits from here to the next beat until it is given something to do.
  void Rest() { rests_.store(true, std::memory_order_relaxed); }

  Pulse Look() const {
    return {.beats = beats_.load(std::memory_order_relaxed),
            .rests = rests_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<std::uint64_t> beats_ = 0;
  std::atomic<bool> rests_ = true;
};

}  // namespace edgemoe
