// SPDX-License-Identifier: Apache-2.0
//
// The answer of ModelsService.Pull: what a download tells of itself, and its report; then what a
// pack does.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/mutex.h"
#include "server/calls/streams/single_writer.h"
#include "server/jobs/pull_runner.h"

namespace edgemoe {

// Bounded: at most two messages wait, the newest and, before it, the download's report. A client
// that goes away ends its call alone: download and pack go on.
class PullStream final : public SingleWriter, public PullListener {
 public:
  // `thread` outlives the stream. The download may be joined before Open.
  explicit PullStream(StreamThread& thread) : SingleWriter(thread) {}

  void OnProgress(const PullProgress& progress) override EXCLUDES(mutex_);
  void OnArrived(const PullReport& report) override EXCLUDES(mutex_);
  void OnPackProgress(const PackStep& step) override;
  void OnPacked(const PackReport& report) override;
  void OnPackFound(const std::string& path) override;
  void OnEnded(const Status& status) override EXCLUDES(mutex_);

 private:
  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override EXCLUDES(mutex_);
  // In place of the one that waits.
  void Offer(std::unique_ptr<const Message> message) EXCLUDES(mutex_);

  Mutex mutex_;
  std::unique_ptr<const Message> report_ GUARDED_BY(mutex_);
  std::unique_ptr<const Message> waiting_ GUARDED_BY(mutex_);
  std::optional<Status> final_status_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
