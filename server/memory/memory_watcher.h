// SPDX-License-Identifier: Apache-2.0
//
// Keeps the memory budget of a live daemon within what the machine has to give.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/plan.h"
#include "server/memory/shared_budget.h"
#include "server/threads/worker_pool.h"

namespace edgemoe {

struct MemorySample {
  std::uint64_t at_ms = 0;         // of a clock that only goes forward
  std::uint64_t usable_bytes = 0;  // see engine/base/system/usable_memory.h; 0: unknown
  // Share of the last ten seconds in which something waited for memory, [0, 100]: the kernel's
  // "some avg10", of our control group or of the machine, whichever is worse; 0 where it has none.
  double pressure_percent = 0;
};

// The roots are a seam for tests.
MemorySample ReadMemorySample(const Clock& clock, const std::string& proc_root = "/proc",
                              const std::string& cgroup_root = "/sys/fs/cgroup");

// The avg10 of the line "some" of a pressure file; 0 for any other text.
double ParsePressure(std::string_view text);

// Decides, pure: no clock, no files.
//
//   limit     The budget is at most the share of usable memory that was chosen at the start, or
//             three quarters where that is more. What is above it goes at once.
//   pressure  At kPressureHigh for kHighSamples samples in a row: a quarter of what is above the
//             floor goes; then nothing more for kShrinkPauseMs, for the average looks back.
//   calm      At kPressureLow for a while: an eighth of the way back to the wanted budget. The
//             while is kCalmMs, and doubles each time that pressure comes again, up to kCalmMsMax;
//             it is kCalmMs again once the wanted budget has been reached and stayed calm.
//
// Never below the floor, never above what is wanted. Whoever else resizes the engine says by that
// what is wanted from then on. Thread-compatible.
class MemoryAdapter {
 public:
  static constexpr double kPressureHigh = 10;
  static constexpr double kPressureLow = 1;
  static constexpr int kHighSamples = 3;
  static constexpr std::uint64_t kShrinkPauseMs = 10'000;
  static constexpr std::uint64_t kCalmMs = 30'000;
  static constexpr std::uint64_t kCalmMsMax = 480'000;

  // `wanted_bytes`: the budget at the start. `usable_bytes` then; 0: unknown.
  MemoryAdapter(std::uint64_t wanted_bytes, std::uint64_t floor_bytes, std::uint64_t usable_bytes);

  struct Decision {
    std::uint64_t budget_bytes = 0;
    std::string why;  // for the log
  };
  // `budget_bytes`: the one in force. Nothing: let it be.
  std::optional<Decision> Decide(const MemorySample& sample, std::uint64_t budget_bytes);

  // A pack job makes the floor higher while it runs.
  void SetFloor(std::uint64_t floor_bytes) { floor_bytes_ = floor_bytes; }

 private:
  std::uint64_t Ceiling(std::uint64_t usable_bytes) const;
  std::optional<Decision> ByPressure(const MemorySample& sample, std::uint64_t budget_bytes);
  std::optional<Decision> ByCalm(const MemorySample& sample, std::uint64_t budget_bytes);
  Decision Ask(std::uint64_t budget_bytes, std::string why);

  std::uint64_t wanted_bytes_;
  std::uint64_t floor_bytes_;
  double share_max_ = 0.75;
  std::uint64_t seen_bytes_;   // in force when last asked
  std::uint64_t asked_bytes_;  // what was last decided
  int high_samples_ = 0;
  std::optional<std::uint64_t> shrunk_ms_;      // when pressure last took something
  std::optional<std::uint64_t> calm_since_ms_;  // or since the last growth
  std::uint64_t calm_ms_ = kCalmMs;
};

// Samples every kIntervalMs and resizes the budget as the adapter decides.
//
// Threads: made, started, stopped and destroyed on the context's thread; looks and resizes on a
// worker, one at a time.
class MemoryWatcher {
 public:
  static constexpr std::uint64_t kIntervalMs = 2000;

  // All outlive the watcher, which is destroyed after the workers have been joined.
  struct Parts {
    boost::asio::io_context& context;
    WorkerPool& workers;
    SharedBudget& budget;
    const Clock& clock;
  };
  // `plan`: the engine's first.
  MemoryWatcher(const Parts& parts, const MemoryPlan& plan, LogSink log);

  void Start();
  void Stop() { timer_.cancel(); }

 private:
  void Look();
  void Log(LogLevel level, const std::string& line) const;

  boost::asio::steady_timer timer_;
  WorkerPool& workers_;
  SharedBudget& budget_;
  const Clock& clock_;
  const LogSink log_;
  std::atomic<bool> looking_ = false;
  // Whoever looks:
  MemoryAdapter adapter_;
  std::string complaint_;  // the last one, not to be said again
};

}  // namespace edgemoe
