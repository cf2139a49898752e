// SPDX-License-Identifier: Apache-2.0
//
// Fetches headers of remote models, beside the download that may run: a few runs at a time, each on
// a thread that waits for the program that does it, and each for one client that is told.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "download/protocol/pull_lines.h"
#include "engine/base/log.h"
#include "engine/base/mutex.h"
#include "server/jobs/download_program.h"

namespace edgemoe {

// Who is told; on the run's thread but for wants_more.
class HeaderListener {
 public:
  virtual ~HeaderListener() = default;
  // Whether the run is worth going on; any thread.
  virtual bool wants_more() const = 0;
  // Of one with a path the files are there until it comes back.
  virtual void OnHeader(const PullHeader& header) = 0;
  // Last.
  virtual void OnEnded(const Result<PullReport>& report) = 0;
};

// Thread-safe but for the destructor.
class HeaderRunner {
 public:
  static constexpr std::size_t kRunsMax = 2;

  HeaderRunner(ConnectToProgram connect, LogSink log)
      : connect_(std::move(connect)), log_(std::move(log)) {}
  // Ends the runs.
  ~HeaderRunner();
  HeaderRunner(const HeaderRunner&) = delete;
  HeaderRunner& operator=(const HeaderRunner&) = delete;

  // Starts a run of a request for headers; `request.directory` is where its hidden folder is made,
  // which is removed however it ends. The run ends when nobody else holds the listener.
  // FAILED_PRECONDITION (busy): kRunsMax run.
  Status Start(PullRequest request, const std::shared_ptr<HeaderListener>& listener)
      EXCLUDES(mutex_);

  // The run that tells this one, which wants no more, ends at once.
  void Cancel(const HeaderListener* listener) EXCLUDES(mutex_);

 private:
  struct Run {
    std::weak_ptr<HeaderListener> listener{};
    const HeaderListener* key = nullptr;  // to be compared alone
    int socket = -1;                      // of the connection, while there is one
    bool cancelled = false;
    bool has_ended = false;
    std::thread thread{};
  };

  void Work(PullRequest request, Run& run) EXCLUDES(mutex_);
  Result<PullReport> Fetch(PullRequest request, Run& run) EXCLUDES(mutex_);
  void CancelRun(Run& run) REQUIRES(mutex_);

  const ConnectToProgram connect_;
  const LogSink log_;
  Mutex mutex_;
  std::list<Run> runs_ GUARDED_BY(mutex_);  // a run keeps its place; its thread has a reference
};

}  // namespace edgemoe
