// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pack_runner.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

constexpr double kSecondsPerNs = 1e-9;

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
  ProgressTeller(std::vector<PackProgress::Phase> phases, std::function<void(const PackStep&)> tell,
                 const Clock& clock)
      : phases_(std::move(phases)), tell_(std::move(tell)), clock_(clock) {}

  void Tell(const PackProgress& progress) {
    const std::uint64_t now_ns = clock_.NowNs();
    const bool begins = !begun_ || progress.phase != phase_;
    if (!begins && now_ns - told_at_ns_ < PackRunner::kProgressIntervalMs * kNsPerMs) return;
    if (begins) {
      begun_ = true;
      phase_ = progress.phase;
      begun_at_ns_ = now_ns;
      begun_with_ = progress.done;
    }
    told_at_ns_ = now_ns;
    const auto place = std::ranges::find(phases_, progress.phase);
    tell_({.progress = progress,
           .phase_number = static_cast<std::uint32_t>(place - phases_.begin()) + 1,
           .phase_count = static_cast<std::uint32_t>(phases_.size()),
           .phase_seconds_left = SecondsLeft(progress, now_ns)});
  }

 private:
  std::optional<double> SecondsLeft(const PackProgress& progress, std::uint64_t now_ns) const {
    if (progress.done <= begun_with_ || progress.total < progress.done) return std::nullopt;
    const double seconds = static_cast<double>(now_ns - begun_at_ns_) * kSecondsPerNs;
    const auto done = static_cast<double>(progress.done - begun_with_);
    return static_cast<double>(progress.total - progress.done) * seconds / done;
  }

  const std::vector<PackProgress::Phase> phases_;
  const std::function<void(const PackStep&)> tell_;
  const Clock& clock_;
  bool begun_ = false;
  PackProgress::Phase phase_ = PackProgress::Phase::kCopying;
  std::uint64_t begun_at_ns_ = 0;
  std::uint64_t begun_with_ = 0;
  std::uint64_t told_at_ns_ = 0;
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
  std::thread job;  // which takes the lock
  {
    const MutexLock lock(mutex_);
    job = std::move(thread_);
  }
  if (job.joinable()) job.join();
}

Status PackRunner::TryStart(PackOptions options, std::shared_ptr<PackListener> listener) {
  const MutexLock lock(mutex_);
  if (running_)
    return FailedPreconditionError("pack: another job is writing " + running_->output_path +
                                   "; one runs at a time")
        .WithReason(Reason::kBusy);
  // The job before has ended, its thread is about to.
  if (thread_.joinable()) thread_.join();
  running_ = {.source_path = options.source_path, .output_path = options.output_path, .step = {}};
  thread_ = std::thread([this, options = std::move(options), listener = std::move(listener)] {
    Run(options, *listener);
  });
  return OkStatus();
}

std::optional<RunningPack> PackRunner::running() const {
  const MutexLock lock(mutex_);
  return running_;
}

void PackRunner::Run(PackOptions options, PackListener& listener) {
  YieldToOthers();
  const std::string name = "pack " + options.output_path;
  Say(LogLevel::kInfo, name + ": started, from " + options.source_path);
  const auto tell = [this, &listener](const PackStep& step) {
    {
      const MutexLock lock(mutex_);
      running_->step = step;
    }
    listener.OnProgress(step);
  };
  ProgressTeller teller(PackPhases(options), tell, clock_);
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
    running_.reset();
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
