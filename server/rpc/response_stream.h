// SPDX-License-Identifier: Apache-2.0
//
// One streaming answer: the engine's events on one side, a call's writes on the other. Knows
// nothing of gRPC; RpcStream joins it to a reactor.
//
// Invariants:
//  1. One owner. Whoever holds `busy_` alone may start a write or finish the call. The submission
//     holds it first, so that nothing is finished, and the request message not freed, before
//     Submitted. Finishing keeps it for good: the call is finished exactly once.
//  2. No lock is held while the engine or the call is called.
//  3. Either side may go first: sink and reactor each hold a shared_ptr, and what comes after the
//     other one's end is dropped.
//  4. Bounded: see EventQueue. A client that takes nothing holds at most that much; once the engine
//     is done with the request, for at most the stall timeout.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "engine/base/mutex.h"
#include "engine/engine.h"
#include "server/process/worker_pool.h"
#include "server/rpc/event_queue.h"

namespace edgemoe {

class ResponseStream : public std::enable_shared_from_this<ResponseStream> {
 public:
  // Called on the engine's thread when the engine is done with a request.
  using FinishedObserver = std::function<void(RequestId, const FinishedEvent&)>;

  // `thread` outlives the stream.
  ResponseStream(StreamThread& thread, std::uint32_t stall_timeout_ms, FinishedObserver observer);
  virtual ~ResponseStream() = default;
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;

  // What the engine gets: once, before Submitted.
  std::unique_ptr<EventSink> MakeSink();

  // Whether the client has gone, so that submitting is not worth the while.
  bool cancelled() const;

  // The outcome of Engine::Generate or Score; an error finishes the call. Exactly once, on any
  // thread. `engine` (null on errors before one was found) outlives the call.
  void Submitted(Engine* engine, const Result<RequestId>& request);

 protected:
  // What happened to the call; on any thread.
  void OnWritten(bool ok);
  void OnCallCancelled();
  void OnCallOver();

 private:
  friend class StreamSink;

  // Starts to write the event as a message, after which OnWritten follows; false when the event is
  // none to this call.
  virtual bool StartMessage(StreamEvent event) = 0;
  // Ends the call. `refused`: by Engine::Generate or Score.
  virtual void FinishCall(const Status& status, bool refused) = 0;
  // Makes OnWritten(false) and OnCallCancelled come soon. Not after OnCallOver.
  virtual void CancelCall() = 0;

  // The engine's side.
  void Push(StreamEvent event);
  bool CanTake() const;

  // With busy_ held: writes the next event, or finishes, or gives busy_ back. The object may be
  // gone when it returns.
  void Pump();
  void StartStallTimer();

  StreamThread& thread_;
  const std::uint32_t stall_timeout_ms_;
  const FinishedObserver observer_;

  mutable Mutex mutex_;
  EventQueue queue_ GUARDED_BY(mutex_);
  bool busy_ GUARDED_BY(mutex_) = true;
  bool cancelled_ GUARDED_BY(mutex_) = false;  // by the client, or by a write that failed
  bool finish_called_ GUARDED_BY(mutex_) = false;
  bool refused_ GUARDED_BY(mutex_) = false;
  std::optional<Status> final_status_ GUARDED_BY(mutex_);  // how to finish once the queue is empty
  std::optional<RequestId> request_ GUARDED_BY(mutex_);
  Engine* engine_ GUARDED_BY(mutex_) = nullptr;

  Mutex call_mutex_;  // keeps the call alive during CancelCall; never taken inside a reaction's
                      // path but by OnCallOver
  bool call_over_ GUARDED_BY(call_mutex_) = false;
  StreamThread::Timer stall_timer_;  // on thread_ only
};

}  // namespace edgemoe
