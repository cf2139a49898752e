// SPDX-License-Identifier: Apache-2.0
//
// Runs pack jobs, one at a time, on a thread of its own that takes processor and disk only where
// nobody else wants them, as do the threads that the job starts; in memory that the engine gives up
// meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/base/mutex.h"
#include "engine/pack.h"
#include "server/memory/shared_budget.h"

namespace edgemoe {

// How far a job is.
struct PackStep {
  PackProgress progress;
  // Of PackPhases, from 1.
  std::uint32_t phase_number = 0;
  std::uint32_t phase_count = 0;
  std::optional<double> phase_seconds_left;  // absent until it can be told
};

struct RunningPack {
  std::string source_path;
  std::string output_path;
  PackStep step;
};

// Who is told about a job; on the job's thread.
class PackListener {
 public:
  virtual ~PackListener() = default;
  // At most once in kProgressIntervalMs, but always at the start of a phase.
  virtual void OnProgress(const PackStep& step) = 0;
  // Last. Another job may be started from here on.
  virtual void OnEnded(Result<PackReport> report) = 0;
  // Set: the job ends soon. Who waits for it is notified.
  virtual const std::atomic<bool>& cancelled() const = 0;
};

// Thread-safe but for the destructor.
class PackRunner {
 public:
  static constexpr std::uint64_t kProgressIntervalMs = 250;

  // Both outlive the runner.
  PackRunner(SharedBudget& budget, const Clock& clock, LogSink log)
      : budget_(budget), clock_(clock), log_(std::move(log)) {}
  // Waits for the job, which its listener must have cancelled or which is about to end.
  ~PackRunner();
  PackRunner(const PackRunner&) = delete;
  PackRunner& operator=(const PackRunner&) = delete;

  // Starts a job, whose output is named; `options.cancelled` and `.progress` are the listener's,
  // `.memory_bytes` is what is wanted of the budget: see SharedBudget::Lend. FAILED_PRECONDITION
  // names the output of the job that runs; the listener is then not told of anything.
  Status TryStart(PackOptions options, std::shared_ptr<PackListener> listener);

  std::optional<RunningPack> running() const;

 private:
  void Run(PackOptions options, PackListener& listener);
  Result<PackReport> Write(PackOptions options);
  void Say(LogLevel level, const std::string& line) const;

  SharedBudget& budget_;
  const Clock& clock_;
  const LogSink log_;
  mutable Mutex mutex_;
  std::optional<RunningPack> running_ GUARDED_BY(mutex_);
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
