// SPDX-License-Identifier: Apache-2.0
//
// The answer to a request that the engine runs: its events become messages.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "engine/base/mutex.h"
#include "engine/engine.h"
#include "server/calls/request_table.h"
#include "server/calls/streams/event_queue.h"
#include "server/calls/streams/single_writer.h"
#include "server/models/engine_slot.h"

namespace edgemoe {

// Bounded: see EventQueue. A client that takes nothing holds at most that much; once the engine is
// done with the request, for at most the stall timeout. When the client goes, the request is
// aborted and the call ends at once; the engine's sink may live on for a while.
class ResponseStream final : public SingleWriter, public LiveRequest {
 public:
  // Called on the engine's thread when a request has been taken, and when the engine is done with
  // it.
  using StartedObserver = std::function<void(const RequestSummary&)>;
  using FinishedObserver = std::function<void(const RequestSummary&, const FinishedEvent&)>;
  // Makes a message of an event; none when the call has no message for it. Called for one event at
  // a time, in order, while the stream has its lease on the engine.
  using Translator = std::function<std::unique_ptr<const Message>(StreamEvent)>;

  // `thread` outlives the stream, `method` too. `peer`: see Caller.
  struct Observers {
    StartedObserver started;
    FinishedObserver finished;
  };
  ResponseStream(StreamThread& thread, std::uint32_t stall_timeout_ms, const char* method,
                 std::string peer, Observers observers);

  // What clients know the request by, until the engine is done with it. Before the engine is given
  // the sink.
  void Name(RequestTable::Entry entry, std::string model) EXCLUDES(mutex_);
  RequestSummary Summary() const override EXCLUDES(mutex_);
  Status Abort() override EXCLUDES(mutex_);

  // Before the engine is given the sink.
  void SetTranslator(Translator translator) { translator_ = std::move(translator); }
  // A request that waits for its turn sends a WaitingEvent so often.
  static constexpr std::uint64_t kWaitingMs = 10'000;

  // What the engine gets: once, before Submitted.
  std::unique_ptr<EventSink> MakeSink();

  // The outcome of Engine::Generate, Score or Embed: opens the stream, or refuses the call on an
  // error. Exactly once, unless the call was refused before.
  void Submitted(EngineLease engine, const Result<RequestId>& request);

 private:
  friend class StreamSink;

  Turn Next() override EXCLUDES(mutex_);
  void Abandon() override EXCLUDES(mutex_);

  // The engine's side.
  void Push(StreamEvent event) EXCLUDES(mutex_);
  bool CanTake() const EXCLUDES(mutex_);
  void WatchWaiting() EXCLUDES(mutex_);

  const std::uint32_t stall_timeout_ms_;
  const Observers observers_;
  Translator translator_;

  mutable Mutex mutex_;
  RequestSummary summary_ GUARDED_BY(mutex_);
  std::optional<RequestTable::Entry> entry_ GUARDED_BY(mutex_);
  EventQueue queue_ GUARDED_BY(mutex_);
  StreamThread::Timer waiting_ GUARDED_BY(mutex_);
  bool started_ GUARDED_BY(mutex_) = false;       // the engine has said so
  bool abort_wanted_ GUARDED_BY(mutex_) = false;  // by Abort
  bool abandoned_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;                  // Next has given the end
  std::optional<Status> final_status_ GUARDED_BY(mutex_);  // how to end once the queue is empty
  std::optional<RequestId> request_ GUARDED_BY(mutex_);
  EngineLease engine_ GUARDED_BY(mutex_);  // from Submitted to the end
};

}  // namespace edgemoe
