// SPDX-License-Identifier: Apache-2.0
//
// Downloads, one at a time, on a thread that waits for the program that does it; and, where that is
// wanted, the pack of what has arrived, while the next download may run. Both belong to nobody: who
// asked may leave, and others may join.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "download/protocol/pull_lines.h"
#include "engine/base/log.h"
#include "engine/base/mutex.h"
#include "server/jobs/download_program.h"
#include "server/jobs/pack_runner.h"
#include "server/jobs/pull_audience.h"

namespace edgemoe {

// The pack of a model that has arrived at `source_path`; an error is why there can be none.
using PackOnArrival = std::function<Result<PackOptions>(const std::string& source_path)>;

// Thread-safe but for the destructor.
class PullRunner {
 public:
  // `packs` outlives the runner.
  PullRunner(ConnectToProgram connect, PackRunner& packs, LogSink log)
      : connect_(std::move(connect)), packs_(packs), log_(std::move(log)) {}
  ~PullRunner() { Stop(); }
  PullRunner(const PullRunner&) = delete;
  PullRunner& operator=(const PullRunner&) = delete;

  // Starts a download, or joins the one of the same model, or the pack that follows it. The options
  // of the one that runs then stay, but that a pack is added where none was asked for. `pack` may
  // be null. A pack that cannot be written ends the pull with an error after its report.
  // FAILED_PRECONDITION (busy) names the model that is being downloaded; RESOURCE_EXHAUSTED: see
  // PullAudience; UNAVAILABLE: after Stop.
  Status Join(PullRequest request, PackOnArrival pack,
              const std::shared_ptr<PullListener>& listener) EXCLUDES(mutex_);

  // Whether a download runs, or a pack that followed one.
  bool is_running() const EXCLUDES(mutex_);

  // The download that runs, or else the pack that followed one, ends soon, as CANCELLED. False
  // where none runs.
  bool Cancel() EXCLUDES(mutex_);

  // Ends what runs, waits for it, and takes nothing further.
  void Stop() EXCLUDES(mutex_);

 private:
  class Job;

  void Run(const std::shared_ptr<Job>& job) EXCLUDES(mutex_);
  Result<PullReport> Download(Job& job) EXCLUDES(mutex_);
  // What becomes of what has arrived. Gives the pull's end; or nothing, when a pack job is to give
  // it.
  std::optional<Status> Arrive(const std::shared_ptr<Job>& job, const PullReport& report)
      EXCLUDES(mutex_);
  // The pack of a job has ended.
  void OnPackEnded(const Job& job) EXCLUDES(mutex_);
  void Say(LogLevel level, const std::string& line) const;

  const ConnectToProgram connect_;
  PackRunner& packs_;
  const LogSink log_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::shared_ptr<Job> download_ GUARDED_BY(mutex_);  // that runs
  std::shared_ptr<Job> pack_ GUARDED_BY(mutex_);      // downloaded, and being packed
  int socket_ GUARDED_BY(mutex_) = -1;                // of the connection, while there is one
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
