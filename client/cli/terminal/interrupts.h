// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C as something to read instead of something that happens.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace edgemoe::cli {

// From its construction on SIGINT is blocked in this thread and in those started later, and waits
// to be taken. Made before the connection, whose threads would otherwise receive the signal.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  // Readable while an interrupt waits.
  int fd() const { return fd_; }
  // Takes what waits; false when there was none.
  bool Take();
  // Waits for an interrupt; true when it came within the time, and takes it.
  bool WaitFor(std::chrono::milliseconds time);

 private:
  int fd_;
};

// While it lives, an interrupt calls `on_interrupt` (once, on another thread).
class InterruptWatch {
 public:
  InterruptWatch(Interrupts& interrupts, std::function<void()> on_interrupt);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  bool interrupted() const { return interrupted_; }

 private:
  std::atomic<bool> interrupted_ = false;
  int stop_fd_;
  std::thread thread_;
};

}  // namespace edgemoe::cli
