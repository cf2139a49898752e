// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pull_runner.h"

#include <sys/socket.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <system_error>
#include <variant>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

std::string Describe(const PullReport& report) {
  std::string text = report.paths.empty() ? std::string("nothing") : report.paths.front();
  text += ", " + FormatByteSize(report.bytes);
  for (const std::string& file : report.linked_files) text += ", by a link to " + file;
  if (report.was_there) text += ", was there already";
  return text + (report.is_verified ? ", has its SHA-256" : ", without a SHA-256 to check it by");
}

}  // namespace

// A pull: a download, and what follows it.
class PullRunner::Job final : public PackListener {
 public:
  Job(PullRunner& runner, PullRequest wanted, PackOnArrival to_follow)
      : pack(std::move(to_follow)), request(std::move(wanted)), runner_(runner) {}

  void OnProgress(const PackStep& step) override { audience.PackProgress(step); }
  void OnEnded(Result<PackReport> report) override {
    runner_.OnPackEnded(*this);  // which may be gone from here on
    if (report) audience.Packed(*report);
    audience.Ended(report ? OkStatus() : NotPacked(report.error()));
  }
  const std::atomic<bool>& cancelled() const override { return cancelled_; }

  void Cancel() {
    cancelled_ = true;
    cancelled_.notify_all();
  }
  // Why there is no pack, and that there is a model.
  Status NotPacked(const Status& status) const {
    return status.WithContext(source_path +
                              " is there, but not its pack, for which there is `edgemoe pack`");
  }

  // With the runner's mutex.
  PackOnArrival pack;
  bool has_arrived = false;  // whether there is a pack to follow is decided

  const PullRequest request;
  PullAudience audience;
  std::string source_path;  // of the thread that downloads, and then of the one that packs

 private:
  PullRunner& runner_;
  std::atomic<bool> cancelled_ = false;
};

Status PullRunner::Join(PullRequest request, PackOnArrival pack,
                        const std::shared_ptr<PullListener>& listener) {
  const MutexLock lock(mutex_);
  if (stopped_) return UnavailableError("pull: the daemon stops").WithReason(Reason::kStopping);
  if (pack_ && pack_->request.model == request.model) return pack_->audience.Add(listener);
  if (download_ && download_->request.model != request.model)
    return FailedPreconditionError("pull: " + ShowValue(download_->request.model) +
                                   " is being downloaded; one download runs at a time")
        .WithReason(Reason::kBusy);
  if (download_) {
    if (pack && !download_->pack && download_->has_arrived)
      return FailedPreconditionError("pull: " + ShowValue(request.model) +
                                     " has just arrived without a pack; try again")
          .WithReason(Reason::kBusy);
    if (!download_->pack) download_->pack = std::move(pack);
    return download_->audience.Add(listener);
  }
  // The download before has ended, its thread is about to.
  if (thread_.joinable()) thread_.join();
  const auto job = std::make_shared<Job>(*this, std::move(request), std::move(pack));
  EDGEMOE_RETURN_IF_ERROR(job->audience.Add(listener));
  download_ = job;
  thread_ = std::thread([this, job] { Run(job); });
  return OkStatus();
}

bool PullRunner::is_running() const {
  const MutexLock lock(mutex_);
  return download_ || pack_;
}

bool PullRunner::Cancel() {
  const MutexLock lock(mutex_);
  if (download_) {
    download_->Cancel();
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    return true;
  }
  if (pack_) pack_->Cancel();
  return pack_ != nullptr;
}

void PullRunner::Stop() {
  std::thread thread;
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    if (download_) download_->Cancel();
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    if (pack_) pack_->Cancel();
    while (download_ || pack_) changed_.Wait(mutex_);
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void PullRunner::Run(const std::shared_ptr<Job>& job) {
  const std::string name = "pull " + job->request.model;
  Say(LogLevel::kInfo, name + ": started, into " + job->request.directory);
  const Result<PullReport> report = Download(*job);
  Say(report ? LogLevel::kInfo : LogLevel::kWarning,
      name + ": " + (report ? Describe(*report) : report.error().message()));
  std::optional<Status> end = report ? Arrive(job, *report) : report.error();
  if (!end) return;
  if (report && !end->ok()) Say(LogLevel::kWarning, name + ": " + end->message());
  {
    const MutexLock lock(mutex_);
    download_.reset();
    changed_.NotifyAll();
  }
  job->audience.Ended(*end);
}

std::optional<Status> PullRunner::Arrive(const std::shared_ptr<Job>& job,
                                         const PullReport& report) {
  job->audience.Arrived(report);
  PackOnArrival pack;
  {
    const MutexLock lock(mutex_);
    job->has_arrived = true;
    pack = job->pack;
  }
  if (!pack) return OkStatus();
  job->source_path = report.paths.front();
  Result<PackOptions> options = pack(job->source_path);
  if (!options) return job->NotPacked(options.error());
  std::error_code ignored;
  if (!options->overwrite && !options->plan_only &&
      std::filesystem::exists(options->output_path, ignored)) {
    job->audience.PackFound(options->output_path);
    return OkStatus();
  }
  const MutexLock lock(mutex_);
  // The thread of a pack that has ended waits for this mutex no more.
  const Status status = pack_ ? FailedPreconditionError("pack: the one of " + pack_->source_path +
                                                        " is being written; one runs at a time")
                                    .WithReason(Reason::kBusy)
                              : packs_.TryStart(*std::move(options), job);
  if (!status.ok()) return job->NotPacked(status);
  pack_ = std::exchange(download_, nullptr);
  return std::nullopt;
}

void PullRunner::OnPackEnded(const Job& job) {
  const MutexLock lock(mutex_);
  if (pack_.get() == &job) pack_.reset();
  changed_.NotifyAll();
}

Result<PullReport> PullRunner::Download(Job& job) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<DownloadConnection> connection, connect_());
  {
    const MutexLock lock(mutex_);
    if (job.cancelled()) return Failure(CancelledError("the download was cancelled"));
    socket_ = connection->socket();
  }
  Result<PullReport> report =
      AskDownloadProgram(*connection, job.request, [&job](const PullAnswer& answer) {
        if (const auto* progress = std::get_if<PullProgress>(&answer))
          job.audience.Progress(*progress);
      });
  const MutexLock lock(mutex_);
  socket_ = -1;
  if (job.cancelled() && !report)
    return Failure(
        CancelledError("the download was cancelled; the next pull of the same model "
                       "goes on from what is there"));
  return report;
}

void PullRunner::Say(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace edgemoe
