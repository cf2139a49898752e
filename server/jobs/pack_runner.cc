// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pack_runner.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Of this thread and of those that it starts. Where it is not allowed, the job runs as everything
// else does.
void YieldToOthers() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
  // The kernel's own header of these does not compile as C++ in every release of Debian 12.
  constexpr int kWhoProcess = 1;
  constexpr int kThisThread = 0;
  constexpr int kClassIdle = 3;
  constexpr int kClassShift = 13;
  (void)::syscall(SYS_ioprio_set, kWhoProcess, kThisThread, kClassIdle << kClassShift);
}

// Tells the listener now and then, and how long the phase will take at its speed so far.
class ProgressTeller {
 public:
  explicit ProgressTeller(PackListener& listener) : listener_(listener) {}

  void Tell(const PackProgress& progress) {
    const auto now = SteadyClock::now();
    const bool begins = !begun_ || progress.phase != phase_;
    if (!begins && now - told_at_ < PackRunner::kProgressInterval) return;
    if (begins) {
      begun_ = true;
      phase_ = progress.phase;
      begun_at_ = now;
      begun_with_ = progress.done;
    }
    told_at_ = now;
    listener_.OnProgress(progress, SecondsLeft(progress, now));
  }

 private:
  std::optional<double> SecondsLeft(const PackProgress& progress,
                                    SteadyClock::time_point now) const {
    if (progress.done <= begun_with_ || progress.total < progress.done) return std::nullopt;
    const double seconds = std::chrono::duration<double>(now - begun_at_).count();
    const auto done = static_cast<double>(progress.done - begun_with_);
    return static_cast<double>(progress.total - progress.done) * seconds / done;
  }

  PackListener& listener_;
  bool begun_ = false;
  PackProgress::Phase phase_ = PackProgress::Phase::kCopying;
  SteadyClock::time_point begun_at_;
  std::uint64_t begun_with_ = 0;
  SteadyClock::time_point told_at_;
};

std::string Describe(const PackReport& report) {
  std::string text =
      (report.plan_only ? "planned, " : "written, ") + FormatByteSize(report.file_bytes);
  if (report.method == PackMethod::kCopy) return text;
  char figures[160];
  std::snprintf(figures, sizeof(figures), ", %.2f bits a weight of %.2f", report.bits,
                report.source_bits);
  text += figures;
  if (report.quality) {
    std::snprintf(figures, sizeof(figures), ", KL %.4f, perplexity %.3f of %.3f",
                  report.quality->mean_kl, report.quality->perplexity,
                  report.quality->source_perplexity);
    text += figures;
  }
  if (!report.report_error.empty()) text += "; without its report: " + report.report_error;
  return text;
}

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
  Result<PackReport> report = Write(std::move(options));
  if (report) {
    Say(report->report_error.empty() ? LogLevel::kInfo : LogLevel::kWarning,
        name + ": " + Describe(*report));
  } else {
    Say(LogLevel::kWarning, name + ": " + report.error().message());
  }
  {
    const MutexLock lock(mutex_);
    running_output_.clear();
  }
  listener.OnEnded(std::move(report));
}

Result<PackReport> PackRunner::Write(PackOptions options) {
  EDGEMOE_ASSIGN_OR_FAIL(const PackMemory need, PlanPack(options));
  if (options.method == PackMethod::kCopy) return WritePack(options);
  EDGEMOE_ASSIGN_OR_FAIL(const BudgetLoan loan, budget_.Lend(need, options.memory_bytes));
  options.memory_bytes = loan.bytes();
  Say(LogLevel::kInfo, "pack " + options.output_path + ": has " + FormatByteSize(loan.bytes()) +
                           " of the memory budget until it ends");
  return WritePack(options);
}

void PackRunner::Say(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace edgemoe
