// SPDX-License-Identifier: Apache-2.0
//
// The answer of ModelsService.PlanRepository: a message for each header as it arrives, and one at
// the end.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "engine/base/mutex.h"
#include "server/calls/streams/single_writer.h"
#include "server/jobs/header_runner.h"

namespace edgemoe {

// Bounded: at most kPullHeadersMax messages wait, and the last. When the client goes, the run ends.
class PlanStream final : public SingleWriter, public HeaderListener {
 public:
  // Makes the messages; on the run's thread, which may outlive the call.
  struct Planner {
    std::function<std::unique_ptr<const Message>(const PullHeader&)> plan;
    std::function<std::unique_ptr<const Message>()> conclude;
  };

  // Both outlive the stream.
  PlanStream(StreamThread& thread, HeaderRunner& runner) : SingleWriter(thread), runner_(runner) {}

  // Before the run starts, which is before Open.
  void SetPlanner(Planner planner) { planner_ = std::move(planner); }

  bool wants_more() const override EXCLUDES(mutex_);
  void OnHeader(const PullHeader& header) override EXCLUDES(mutex_);
  void OnEnded(const Result<PullReport>& report) override EXCLUDES(mutex_);

 private:
  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override EXCLUDES(mutex_);

  void Push(std::unique_ptr<const Message> message, std::optional<Status> end) EXCLUDES(mutex_);

  HeaderRunner& runner_;
  Planner planner_;

  mutable Mutex mutex_;
  std::deque<std::unique_ptr<const Message>> waiting_ GUARDED_BY(mutex_);
  std::optional<Status> final_status_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
