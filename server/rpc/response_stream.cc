// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/response_stream.h"

#include <string>
#include <utility>

namespace edgemoe {

// Owned by the engine; destroyed by it after OnFinished, or when the request is refused.
class StreamSink final : public EventSink {
 public:
  explicit StreamSink(std::shared_ptr<ResponseStream> stream) : stream_(std::move(stream)) {}

  void OnStarted(const StartedEvent& event) override {
    request_ = event.request;
    stream_->Push(event);
  }
  void OnPromptProgress(const PromptProgressEvent& event) override { stream_->Push(event); }
  void OnChunk(ChunkEvent event) override { stream_->Push(std::move(event)); }
  void OnFinished(FinishedEvent event) override {
    if (stream_->observer_) stream_->observer_(request_, event);
    if (!event.text.empty())
      stream_->Push(ChunkEvent{.text = std::move(event.text), .tokens = {}, .logprobs = {}});
    stream_->Push(std::move(event));
  }
  bool CanTake() const override { return stream_->CanTake(); }

 private:
  const std::shared_ptr<ResponseStream> stream_;
  RequestId request_;
};

ResponseStream::ResponseStream(StreamThread& thread, std::uint32_t stall_timeout_ms,
                               FinishedObserver observer)
    : thread_(thread), stall_timeout_ms_(stall_timeout_ms), observer_(std::move(observer)) {}

std::unique_ptr<EventSink> ResponseStream::MakeSink() {
  return std::make_unique<StreamSink>(shared_from_this());
}

bool ResponseStream::cancelled() const {
  MutexLock lock(mutex_);
  return cancelled_;
}

void ResponseStream::Submitted(Engine* engine, const Result<RequestId>& request) {
  bool abort = false;
  {
    MutexLock lock(mutex_);
    engine_ = engine;
    if (request) {
      request_ = *request;
      abort = cancelled_;
    } else {
      final_status_ = request.error();
      refused_ = true;
    }
  }
  if (abort) (void)engine->Abort(*request);  // NOT_FOUND: it has ended by itself
  Pump();
}

void ResponseStream::OnWritten(bool ok) {
  if (!ok) OnCallCancelled();
  Pump();
}

void ResponseStream::OnCallCancelled() {
  std::optional<RequestId> abort;
  Engine* engine = nullptr;
  bool pump = false;
  {
    MutexLock lock(mutex_);
    if (cancelled_) return;
    cancelled_ = true;
    queue_.Clear();
    if (!final_status_) abort = request_;
    engine = engine_;
    pump = !std::exchange(busy_, true);
  }
  if (abort) (void)engine->Abort(*abort);
  if (pump) Pump();
}

void ResponseStream::OnCallOver() {
  {
    MutexLock lock(call_mutex_);
    call_over_ = true;
  }
  thread_.Post([self = shared_from_this()] { self->stall_timer_.reset(); });
}

void ResponseStream::Push(StreamEvent event) {
  bool pump = false;
  bool watch = false;
  std::optional<RequestId> abort;
  Engine* engine = nullptr;
  {
    MutexLock lock(mutex_);
    if (cancelled_ || finish_called_ || final_status_) return;
    if (const auto* finished = std::get_if<FinishedEvent>(&event)) {
      final_status_ = finished->status;
      watch = true;
    }
    if (!queue_.Push(std::move(event))) {
      // The engine asks CanTake before each step, so that this is a step of more than half a queue.
      final_status_ = ResourceExhaustedError(
          "the client reads too slowly: one step wrote more than the stream's buffer of " +
          std::to_string(EventQueue::kBytesMax) + " bytes holds");
      abort = request_;
      engine = engine_;
      watch = true;
    }
    pump = !std::exchange(busy_, true);
  }
  if (abort) (void)engine->Abort(*abort);
  if (pump) thread_.Post([self = shared_from_this()] { self->Pump(); });
  if (watch) StartStallTimer();
}

bool ResponseStream::CanTake() const {
  MutexLock lock(mutex_);
  return cancelled_ || finish_called_ || queue_.CanTake();
}

void ResponseStream::Pump() {
  while (true) {
    std::optional<StreamEvent> event;
    std::optional<Status> status;
    bool refused = false;
    Engine* wake = nullptr;
    {
      MutexLock lock(mutex_);
      if (cancelled_) {
        status = CancelledError("the client has gone");
      } else {
        const bool could_take = queue_.CanTake();
        event = queue_.Pop();
        if (!could_take && queue_.CanTake()) wake = engine_;
        if (!event && final_status_) status = final_status_;
      }
      if (!event && !status) {
        busy_ = false;
        return;
      }
      if (status) finish_called_ = true;
      refused = refused_;
    }
    if (wake != nullptr) wake->Wake();
    if (status) return FinishCall(*status, refused);
    if (StartMessage(std::move(*event))) return;
  }
}

void ResponseStream::StartStallTimer() {
  thread_.Post([self = shared_from_this()] {
    {
      MutexLock lock(self->call_mutex_);
      if (self->call_over_) return;
    }
    self->stall_timer_ =
        self->thread_.After(self->stall_timeout_ms_, [weak = std::weak_ptr<ResponseStream>(self)] {
          const auto stream = weak.lock();
          if (stream == nullptr) return;
          MutexLock lock(stream->call_mutex_);
          if (!stream->call_over_) stream->CancelCall();
        });
  });
}

}  // namespace edgemoe
