// SPDX-License-Identifier: Apache-2.0
//
// The answer of ModelsService.Pack: what a pack job tells of itself, and its report.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "engine/base/mutex.h"
#include "engine/pack.h"
#include "server/calls/streams/single_writer.h"
#include "server/jobs/pack_runner.h"

namespace edgemoe {

// Bounded: at most one message waits. A newer one replaces it, and the report is the newest; so a
// client that reads slowly holds up neither the job nor memory. A client that goes away cancels the
// job, and the call ends when the job has ended.
class PackStream final : public SingleWriter, public PackListener {
 public:
  // `thread` outlives the stream. The job may be started before Open.
  explicit PackStream(StreamThread& thread) : SingleWriter(thread) {}

  void OnProgress(const PackStep& step) override;
  void OnEnded(Result<PackReport> report) override;
  const std::atomic<bool>& cancelled() const override { return cancelled_; }

 private:
  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override {
    cancelled_ = true;
    cancelled_.notify_all();
  }

  std::atomic<bool> cancelled_ = false;
  Mutex mutex_;
  std::unique_ptr<const Message> waiting_ GUARDED_BY(mutex_);
  std::optional<Status> final_status_ GUARDED_BY(mutex_);
};

}  // namespace edgemoe
