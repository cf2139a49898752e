// SPDX-License-Identifier: Apache-2.0
//
// The answer of ModelsService.Pull: what a download tells of itself, and its report.
#pragma once

#include <memory>
#include <optional>

#include "engine/base/mutex.h"
#include "server/calls/streams/single_writer.h"
#include "server/jobs/pull_runner.h"

namespace edgemoe {

// Bounded: at most one message waits, the newest. A client that goes away ends its call alone: the
// download goes on.
class PullStream final : public SingleWriter, public PullListener {
 public:
  // `thread` outlives the stream. The download may be joined before Open.
  explicit PullStream(StreamThread& thread) : SingleWriter(thread) {}

  void OnProgress(const PullProgress& progress) override EXCLUDES(mutex_);
  void OnEnded(const Result<PullReport>& report) override EXCLUDES(mutex_);

 private:
  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override EXCLUDES(mutex_);

  Mutex mutex_;
  std::unique_ptr<const Message> waiting_ GUARDED_BY(mutex_);
  std::optional<Status> final_status_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
