// SPDX-License-Identifier: Apache-2.0
#include "server/pack_runner.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Of this thread alone. Where it is not allowed, the job runs as everything else does.
void YieldToOthers() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  // The kernel's own header of these does not compile as C++ in every release of Debian 12.
  constexpr int kWhoProcess = 1;
  constexpr int kThisThread = 0;
  constexpr int kClassIdle = 3;
  constexpr int kClassShift = 13;
  (void)::syscall(SYS_ioprio_set, kWhoProcess, kThisThread, kClassIdle << kClassShift);
}

// Tells the listener now and then, and how long it will take at the speed so far.
class ProgressTeller {
 public:
  explicit ProgressTeller(PackListener& listener) : listener_(listener) {}

  void Tell(const PackProgress& progress) {
    const auto now = SteadyClock::now();
    if (told_ && progress.phase == phase_ && now - told_at_ < PackRunner::kProgressInterval) return;
    if (!told_) started_at_ = now;
    told_ = true;
    told_at_ = now;
    phase_ = progress.phase;
    listener_.OnProgress(progress, SecondsLeft(progress, now));
  }

 private:
  std::optional<double> SecondsLeft(const PackProgress& progress,
                                    SteadyClock::time_point now) const {
    const double seconds = std::chrono::duration<double>(now - started_at_).count();
    const auto done = static_cast<double>(progress.bytes_done - progress.bytes_resumed);
    if (seconds <= 0 || done <= 0) return std::nullopt;
    return static_cast<double>(progress.bytes_total - progress.bytes_done) * seconds / done;
  }

  PackListener& listener_;
  bool told_ = false;
  PackProgress::Phase phase_ = PackProgress::Phase::kCopying;
  SteadyClock::time_point started_at_;
  SteadyClock::time_point told_at_;
};

}  // namespace

PackRunner::~PackRunner() {
  const MutexLock lock(mutex_);
  if (thread_.joinable()) thread_.join();
}

Status PackRunner::TryStart(PackOptions options, std::shared_ptr<PackListener> listener) {
  const MutexLock lock(mutex_);
  if (!running_output_.empty())
    return FailedPreconditionError("pack: another job is writing " + running_output_ +
                                   "; one runs at a time");
  // The job before has ended, its thread is about to.
  if (thread_.joinable()) thread_.join();
  running_output_ = options.output_path;
  thread_ = std::thread([this, options = std::move(options), listener = std::move(listener)] {
    Run(options, *listener);
  });
  return OkStatus();
}

void PackRunner::Run(PackOptions options, PackListener& listener) {
  YieldToOthers();
  const std::string name = "pack " + options.output_path;
  Say(LogLevel::kInfo, name + ": started, from " + options.source_path);
  ProgressTeller teller(listener);
  options.cancelled = &listener.cancelled();
  options.progress = [&teller](const PackProgress& progress) { teller.Tell(progress); };
  Result<PackReport> report = WritePack(options);
  if (report) {
    Say(LogLevel::kInfo, name + ": written, " + FormatByteSize(report->file_bytes));
  } else {
    Say(LogLevel::kWarning, name + ": " + report.error().message());
  }
  {
    const MutexLock lock(mutex_);
    running_output_.clear();
  }
  listener.OnEnded(std::move(report));
}

void PackRunner::Say(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace edgemoe
