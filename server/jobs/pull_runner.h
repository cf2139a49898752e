// SPDX-License-Identifier: Apache-2.0
//
// Downloads, one at a time, on a thread that waits for the program that does it. A download belongs
// to nobody: who asked may leave, and others may join.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "download/protocol/pull_lines.h"
#include "engine/base/log.h"
#include "engine/base/mutex.h"
#include "server/jobs/download_program.h"

namespace edgemoe {

// Who is told about a download; on its thread.
class PullListener {
 public:
  virtual ~PullListener() = default;
  virtual void OnProgress(const PullProgress& progress) = 0;
  // Last.
  virtual void OnEnded(const Result<PullReport>& report) = 0;
};

// Thread-safe but for the destructor.
class PullRunner {
 public:
  static constexpr std::size_t kListenersMax = 64;

  PullRunner(ConnectToProgram connect, LogSink log)
      : connect_(std::move(connect)), log_(std::move(log)) {}
  // Ends the download that runs.
  ~PullRunner();
  PullRunner(const PullRunner&) = delete;
  PullRunner& operator=(const PullRunner&) = delete;

  // Starts a download, or joins the one of the same model, whose options then stay. Forgets the
  // listener when nobody else holds it. FAILED_PRECONDITION (busy) names the model that is being
  // downloaded; RESOURCE_EXHAUSTED: kListenersMax listen.
  Status Join(PullRequest request, const std::shared_ptr<PullListener>& listener) EXCLUDES(mutex_);

  // The download that runs ends soon, as CANCELLED. False where none runs.
  bool Cancel() EXCLUDES(mutex_);

 private:
  void Run(const PullRequest& request) EXCLUDES(mutex_);
  Result<PullReport> Download(const PullRequest& request) EXCLUDES(mutex_);
  void Tell(const PullProgress& progress) EXCLUDES(mutex_);
  std::vector<std::shared_ptr<PullListener>> Listeners() REQUIRES(mutex_);
  void Say(LogLevel level, const std::string& line) const;

  const ConnectToProgram connect_;
  const LogSink log_;
  Mutex mutex_;
  std::string model_ GUARDED_BY(mutex_);  // empty: none runs
  std::optional<PullProgress> progress_ GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<PullListener>> listeners_ GUARDED_BY(mutex_);
  int socket_ GUARDED_BY(mutex_) = -1;  // of the connection, while there is one
  bool cancelled_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
