// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pull_runner.h"

#include <sys/socket.h>

#include <algorithm>
#include <variant>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"

namespace edgemoe {
namespace {

std::string Describe(const PullReport& report) {
  std::string text = report.paths.empty() ? std::string("nothing") : report.paths.front();
  text += ", " + FormatByteSize(report.bytes);
  if (report.was_there) return text + ", was there already";
  return text + (report.is_verified ? ", has its SHA-256" : ", without a SHA-256 to check it by");
}

}  // namespace

PullRunner::~PullRunner() {
  (void)Cancel();
  std::thread job;  // which takes the lock
  {
    const MutexLock lock(mutex_);
    job = std::move(thread_);
  }
  if (job.joinable()) job.join();
}

Status PullRunner::Join(PullRequest request, const std::shared_ptr<PullListener>& listener) {
  const MutexLock lock(mutex_);
  if (!model_.empty() && model_ != request.model)
    return FailedPreconditionError("pull: " + ShowValue(model_) +
                                   " is being downloaded; one download runs at a time")
        .WithReason(Reason::kBusy);
  std::erase_if(listeners_, [](const auto& other) { return other.expired(); });
  if (listeners_.size() >= kListenersMax)
    return ResourceExhaustedError("pull: " + std::to_string(kListenersMax) +
                                  " clients follow this download; the most there may be");
  listeners_.push_back(listener);
  if (!model_.empty()) {
    if (progress_) listener->OnProgress(*progress_);
    return OkStatus();
  }
  // The download before has ended, its thread is about to.
  if (thread_.joinable()) thread_.join();
  model_ = request.model;
  progress_.reset();
  cancelled_ = false;
  thread_ = std::thread([this, request = std::move(request)] { Run(request); });
  return OkStatus();
}

bool PullRunner::Cancel() {
  const MutexLock lock(mutex_);
  if (model_.empty()) return false;
  cancelled_ = true;
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  return true;
}

void PullRunner::Run(const PullRequest& request) {
  const std::string name = "pull " + request.model;
  Say(LogLevel::kInfo, name + ": started, into " + request.directory);
  const Result<PullReport> report = Download(request);
  Say(report ? LogLevel::kInfo : LogLevel::kWarning,
      name + ": " + (report ? Describe(*report) : report.error().message()));
  std::vector<std::shared_ptr<PullListener>> listeners;
  {
    const MutexLock lock(mutex_);
    listeners = Listeners();
    listeners_.clear();
    model_.clear();
  }
  for (const std::shared_ptr<PullListener>& listener : listeners) listener->OnEnded(report);
}

Result<PullReport> PullRunner::Download(const PullRequest& request) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<DownloadConnection> connection, connect_());
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return Failure(CancelledError("the download was cancelled"));
    socket_ = connection->socket();
  }
  Result<PullReport> report =
      AskDownloadProgram(*connection, request, [this](const PullAnswer& answer) {
        if (const auto* progress = std::get_if<PullProgress>(&answer)) Tell(*progress);
      });
  const MutexLock lock(mutex_);
  socket_ = -1;
  if (cancelled_ && !report)
    return Failure(
        CancelledError("the download was cancelled; the next pull of the same model "
                       "goes on from what is there"));
  return report;
}

void PullRunner::Tell(const PullProgress& progress) {
  std::vector<std::shared_ptr<PullListener>> listeners;
  {
    const MutexLock lock(mutex_);
    progress_ = progress;
    listeners = Listeners();
  }
  for (const std::shared_ptr<PullListener>& listener : listeners) listener->OnProgress(progress);
}

std::vector<std::shared_ptr<PullListener>> PullRunner::Listeners() {
  std::vector<std::shared_ptr<PullListener>> listeners;
  for (const std::weak_ptr<PullListener>& listener : listeners_)
    if (std::shared_ptr<PullListener> held = listener.lock()) listeners.push_back(std::move(held));
  return listeners;
}

void PullRunner::Say(LogLevel level, const std::string& line) const {
  if (log_) log_(level, line);
}

}  // namespace edgemoe
