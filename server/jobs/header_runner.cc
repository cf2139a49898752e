// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/header_runner.h"

#include <sys/socket.h>

#include <variant>

#include "server/jobs/header_folder.h"

namespace edgemoe {

HeaderRunner::~HeaderRunner() {
  std::list<Run> runs;
  {
    const MutexLock lock(mutex_);
    for (Run& run : runs_) CancelRun(run);
    runs.swap(runs_);  // which moves no run
  }
  for (Run& run : runs) run.thread.join();
}

Status HeaderRunner::Start(PullRequest request, const std::shared_ptr<HeaderListener>& listener) {
  const MutexLock lock(mutex_);
  std::erase_if(runs_, [](Run& run) {
    if (run.has_ended) run.thread.join();
    return run.has_ended;
  });
  if (runs_.size() >= kRunsMax)
    return FailedPreconditionError("the headers of " + std::to_string(kRunsMax) +
                                   " repositories are being fetched; try again later")
        .WithReason(Reason::kBusy);
  Run& run = runs_.emplace_back();
  run.listener = listener;
  run.key = listener.get();
  run.thread = std::thread([this, &run, request = std::move(request)] { Work(request, run); });
  return OkStatus();
}

void HeaderRunner::Cancel(const HeaderListener* listener) {
  const MutexLock lock(mutex_);
  for (Run& run : runs_)
    if (run.key == listener) CancelRun(run);
}

void HeaderRunner::Work(PullRequest request, Run& run) {
  const std::string model = request.model;
  const Result<PullReport> report = Fetch(std::move(request), run);
  if (!report && log_)
    log_(LogLevel::kInfo, "headers of " + model + ": " + report.error().message());
  {
    const MutexLock lock(mutex_);
    run.has_ended = true;  // who is told next may start another at once
  }
  if (const std::shared_ptr<HeaderListener> listener = run.listener.lock())
    listener->OnEnded(report);
}

Result<PullReport> HeaderRunner::Fetch(PullRequest request, Run& run) {
  EDGEMOE_ASSIGN_OR_FAIL(const HeaderFolder folder, HeaderFolder::Make(request.directory));
  request.directory = folder.path();
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<DownloadConnection> program, connect_());
  {
    const MutexLock lock(mutex_);
    if (run.cancelled) return Failure(CancelledError("nobody waits for these headers"));
    run.socket = program->socket();
  }
  Status problem;
  std::size_t header_count = 0;
  const auto take = [&](const PullAnswer& answer) {
    const auto* const header = std::get_if<PullHeader>(&answer);
    const std::shared_ptr<HeaderListener> listener = run.listener.lock();
    if (header == nullptr || !problem.ok()) return;
    if (++header_count > kPullHeadersMax)
      problem = InternalError("edgemoe-download: gives more than " +
                              std::to_string(kPullHeadersMax) + " headers");
    if (listener == nullptr || !listener->wants_more())
      problem = CancelledError("nobody waits for these headers");
    if (problem.ok()) listener->OnHeader(*header);
    if (problem.ok() && !header->path.empty()) problem = folder.RemoveFolderOf(header->path);
    if (!problem.ok()) ::shutdown(program->socket(), SHUT_RDWR);
  };
  Result<PullReport> report = AskDownloadProgram(*program, request, take);
  const MutexLock lock(mutex_);
  run.socket = -1;
  if (!problem.ok()) return Failure(problem);
  if (run.cancelled && !report) return Failure(CancelledError("nobody waits for these headers"));
  return report;
}

void HeaderRunner::CancelRun(Run& run) {
  run.cancelled = true;
  if (run.socket >= 0) ::shutdown(run.socket, SHUT_RDWR);
}

}  // namespace edgemoe
