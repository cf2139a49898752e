// SPDX-License-Identifier: Apache-2.0
//
// An answer of many messages: a producer on one side, a client's call on the other. Knows neither
// gRPC nor HTTP: a front end brings a CallWire, a kind of answer derives from SingleWriter.
#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/base/mutex.h"
#include "engine/base/status.h"
#include "server/threads/stream_thread.h"

namespace edgemoe {

// The call of a client, as its front end carries it. SingleWriter calls it; the front end tells
// SingleWriter what happened. No lock is held in Write and End; OnWritten, OnCancelled and OnOver
// may come before either returns.
class CallWire {
 public:
  virtual ~CallWire() = default;
  // Starts to write; OnWritten follows, once. Keeps no reference to the message.
  virtual void Write(const google::protobuf::Message& message) = 0;
  // Ends the call, once and last.
  virtual void End(const Status& status) = 0;
  // Makes OnWritten(false) and OnCancelled come soon. May come after End, not after OnOver.
  virtual void Cancel() = 0;
};

// Invariants:
//  1. One owner. Whoever holds `busy_` alone asks for the next message, starts a write or ends the
//     call; so one write is in flight at a time. The start holds it first: nothing is written or
//     ended, and the request message not freed, before Open or Refuse. Ending keeps it for good: a
//     call is ended exactly once.
//  2. No lock is held while the producer is asked or the wire writes.
//  3. Either side may go first: the producer and the front end each hold a shared_ptr, and what
//     comes after the other one's end is dropped.
//  4. Nothing is queued here: the producer bounds what it keeps until Next takes it.
class SingleWriter : public std::enable_shared_from_this<SingleWriter> {
 public:
  using Message = google::protobuf::Message;

  virtual ~SingleWriter() = default;
  SingleWriter(const SingleWriter&) = delete;
  SingleWriter& operator=(const SingleWriter&) = delete;

  // ---- The front end's side; any thread ----

  // Once, before everything else. `wire` lives until OnOver.
  void Attach(CallWire& wire) { wire_ = &wire; }
  // Ends a call that nothing was produced for: instead of Open.
  void Refuse(const Status& status) EXCLUDES(mutex_);

  void OnWritten(bool ok);
  void OnCancelled();
  void OnOver();

  // Whether the client has gone: to produce anything is not worth the while.
  bool client_has_gone() const EXCLUDES(mutex_);

  // ---- The producer's side; any thread ----

  // Once: from now on Next is asked.
  void Open() { Pump(); }

 protected:
  // A message to write, or the end, or neither: nothing for now, Wake will tell.
  struct Turn {
    std::unique_ptr<const Message> message{};
    std::optional<Status> end{};
  };

  // `thread` outlives the object.
  explicit SingleWriter(StreamThread& thread) : thread_(thread) {}

  // Next has something that it had not. The thread of streams asks: the caller is not held up.
  void Wake() EXCLUDES(mutex_);
  // Cancels the call when it is not over by then. The last one counts.
  void CancelAfter(std::uint64_t delay_ms) EXCLUDES(wire_mutex_);

  StreamThread& thread() { return thread_; }

 private:
  // What comes next; one caller at a time, never again after it gave an end. Messages are dropped
  // once the client has gone; the end is up to the producer also then.
  virtual Turn Next() = 0;
  // The client has gone; once. Next is asked afterwards.
  virtual void Abandon() = 0;

  // With busy_ held: writes, or ends, or gives busy_ back. The object may be gone when it returns.
  void Pump() EXCLUDES(mutex_);
  // Takes busy_, or sees to it that its holder asks Next once more.
  bool TakeTurn() EXCLUDES(mutex_);

  StreamThread& thread_;
  CallWire* wire_ = nullptr;

  mutable Mutex mutex_;
  bool busy_ GUARDED_BY(mutex_) = true;
  bool woken_ GUARDED_BY(mutex_) = false;      // since Next was last asked
  bool cancelled_ GUARDED_BY(mutex_) = false;  // by the client, or by a write that failed
  std::optional<Status> refusal_ GUARDED_BY(mutex_);

  Mutex wire_mutex_;  // keeps the wire alive during Cancel; otherwise taken by OnOver alone
  bool over_ GUARDED_BY(wire_mutex_) = false;
  StreamThread::Timer cancel_timer_ GUARDED_BY(wire_mutex_);
};

}  // namespace edgemoe
