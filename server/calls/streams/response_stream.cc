// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/response_stream.h"

#include <string>
#include <utility>

#include "engine/base/clock.h"

namespace edgemoe {

// Owned by the engine; destroyed by it after OnFinished, or when the request is refused.
class StreamSink final : public EventSink {
 public:
  explicit StreamSink(std::shared_ptr<ResponseStream> stream) : stream_(std::move(stream)) {}

  void OnStarted(const StartedEvent& event) override {
    stream_->observers_.started(stream_->Summary());
    stream_->Push(event);
  }
  void OnPromptProgress(const PromptProgressEvent& event) override { stream_->Push(event); }
  void OnChunk(ChunkEvent event) override { stream_->Push(std::move(event)); }
  void OnEmbedding(EmbeddingEvent event) override { stream_->Push(std::move(event)); }
  void OnFinished(FinishedEvent event) override {
    stream_->observers_.finished(stream_->Summary(), event);
    if (!event.text.empty() || !event.parts.empty())
      stream_->Push(ChunkEvent{.text = std::move(event.text),
                               .parts = std::move(event.parts),
                               .tokens = {},
                               .logprobs = {}});
    stream_->Push(std::move(event));
  }
  bool CanTake() const override { return stream_->CanTake(); }

 private:
  const std::shared_ptr<ResponseStream> stream_;
};

ResponseStream::ResponseStream(StreamThread& thread, std::uint32_t stall_timeout_ms,
                               const char* method, std::string peer, Observers observers)
    : SingleWriter(thread), stall_timeout_ms_(stall_timeout_ms), observers_(std::move(observers)) {
  summary_.method = method;
  summary_.peer = std::move(peer);
  summary_.submitted_ns = SteadyClock().NowNs();
}

void ResponseStream::Name(RequestTable::Entry entry, std::string model) {
  const MutexLock lock(mutex_);
  entry_.emplace(std::move(entry));
  summary_.id = entry_->id();
  summary_.model = std::move(model);
}

RequestSummary ResponseStream::Summary() const {
  const MutexLock lock(mutex_);
  return summary_;
}

Status ResponseStream::Abort() {
  std::optional<RequestId> request;
  EngineLease engine;
  {
    const MutexLock lock(mutex_);
    if (final_status_ || ended_) return NotFoundError("the request has ended");
    abort_wanted_ = true;  // Submitted sees to it where the engine has not got the request yet
    request = request_;
    engine = engine_;
  }
  return request ? engine->Abort(*request) : OkStatus();
}

std::unique_ptr<EventSink> ResponseStream::MakeSink() {
  return std::make_unique<StreamSink>(std::static_pointer_cast<ResponseStream>(shared_from_this()));
}

void ResponseStream::Submitted(EngineLease engine, const Result<RequestId>& request) {
  if (!request) {
    {
      const MutexLock lock(mutex_);
      entry_.reset();
    }
    return Refuse(request.error());
  }
  bool abort = false;
  {
    const MutexLock lock(mutex_);
    engine_ = engine;
    request_ = *request;
    abort = abandoned_ || abort_wanted_;
  }
  if (abort) (void)engine->Abort(*request);  // NOT_FOUND: it has ended by itself
  engine.reset();
  WatchWaiting();
  Open();
}

void ResponseStream::WatchWaiting() {
  const MutexLock lock(mutex_);
  if (summary_.runs || abandoned_ || ended_) return;
  const std::weak_ptr<ResponseStream> weak =
      std::static_pointer_cast<ResponseStream>(shared_from_this());
  waiting_ = thread().After(kWaitingMs, [weak] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    {
      const MutexLock timer_lock(self->mutex_);
      if (self->summary_.runs || self->abandoned_ || self->ended_) return;
      if (self->started_ && self->queue_.size() == 0) (void)self->queue_.Push(WaitingEvent());
    }
    self->Wake();
    self->WatchWaiting();
  });
}

SingleWriter::Turn ResponseStream::Next() {
  while (true) {
    std::optional<StreamEvent> event;
    EngineLease lease;  // given back, or asked to go on, without the lock
    {
      const MutexLock lock(mutex_);
      if (abandoned_ || (queue_.size() == 0 && final_status_)) {
        ended_ = true;
        lease = std::move(engine_);
        return {.end = abandoned_ ? CancelledError("the client has gone") : *final_status_};
      }
      const bool could_take = queue_.CanTake();
      event = queue_.Pop();
      if (!event) return {};
      if (!could_take && queue_.CanTake()) lease = engine_;
    }
    if (lease != nullptr) lease->Wake();
    if (std::unique_ptr<const Message> message = translator_(std::move(*event)))
      return {.message = std::move(message)};
  }
}

void ResponseStream::Abandon() {
  std::optional<RequestId> abort;
  EngineLease engine;
  {
    const MutexLock lock(mutex_);
    abandoned_ = true;
    queue_.Clear();
    if (!final_status_ && !ended_) abort = request_;
    engine = engine_;
  }
  if (abort) (void)engine->Abort(*abort);
}

void ResponseStream::Push(StreamEvent event) {
  bool watch = false;
  std::optional<RequestId> abort;
  EngineLease engine;
  {
    const MutexLock lock(mutex_);
    const auto* const finished = std::get_if<FinishedEvent>(&event);
    if (finished != nullptr) entry_.reset();
    if (abandoned_ || ended_ || final_status_) return;
    if (finished != nullptr) {
      final_status_ = finished->status;
      watch = true;
    } else if (const auto* started = std::get_if<StartedEvent>(&event)) {
      started_ = true;
      summary_.runs = started->queue_position == 0;
      summary_.prompt_tokens = started->prompt_tokens;
    } else if (std::holds_alternative<PromptProgressEvent>(event)) {
      summary_.runs = true;
    } else if (const auto* chunk = std::get_if<ChunkEvent>(&event)) {
      summary_.completion_tokens += static_cast<std::uint32_t>(chunk->tokens.size());
    }
    if (!queue_.Push(std::move(event))) {
      // The engine asks CanTake before each step, so that this is a step of more than half a queue.
      final_status_ =
          ResourceExhaustedError(
              "the client reads too slowly: one step wrote more than the stream's buffer of " +
              std::to_string(EventQueue::kBytesMax) + " bytes holds")
              .WithReason(Reason::kSlowReader);
      abort = request_;
      engine = engine_;
      watch = true;
    }
  }
  if (abort) (void)engine->Abort(*abort);
  Wake();
  if (watch) CancelAfter(stall_timeout_ms_);
}

bool ResponseStream::CanTake() const {
  const MutexLock lock(mutex_);
  return abandoned_ || ended_ || queue_.CanTake();
}

}  // namespace edgemoe
