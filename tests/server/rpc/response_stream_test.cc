// SPDX-License-Identifier: Apache-2.0
//
// The state machine of a streaming answer, without gRPC and without an engine: each order in which
// the two sides can act.
#include "server/rpc/response_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "server/rpc/event_queue.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;

ChunkEvent Chunk(std::string text) {
  return {.text = std::move(text), .tokens = {}, .logprobs = {}};
}

FinishedEvent Finished(Status status = OkStatus()) {
  FinishedEvent event;
  event.reason = status.ok() ? FinishReason::kMaxTokens : FinishReason::kError;
  event.status = std::move(status);
  return event;
}

// A call that writes one message at a time, when the test lets it.
class TestStream final : public ResponseStream {
 public:
  explicit TestStream(StreamThread& thread, FinishedObserver observer = {})
      : ResponseStream(thread, /*stall_timeout_ms=*/3'600'000, std::move(observer)) {}

  using ResponseStream::OnCallCancelled;
  using ResponseStream::OnCallOver;
  using ResponseStream::OnWritten;

  std::vector<std::string> written;
  int in_flight = 0;
  int finish_count = 0;
  int cancel_count = 0;
  Status status;
  bool was_refused = false;

 private:
  bool StartMessage(StreamEvent event) override {
    if (std::holds_alternative<PromptProgressEvent>(event)) return false;  // none to this call
    EXPECT_EQ(in_flight, 0) << "two writes in flight";
    EXPECT_EQ(finish_count, 0) << "a write after the end";
    ++in_flight;
    if (const auto* chunk = std::get_if<ChunkEvent>(&event)) {
      written.push_back(chunk->text);
    } else {
      written.push_back(std::holds_alternative<StartedEvent>(event) ? "<started>" : "<finished>");
    }
    return true;
  }
  void FinishCall(const Status& final_status, bool refused) override {
    EXPECT_EQ(in_flight, 0) << "finished during a write";
    ++finish_count;
    status = final_status;
    was_refused = refused;
  }
  void CancelCall() override { ++cancel_count; }
};

// Records what a stream asks of the engine.
class RecordingEngine final : public Engine {
 public:
  const ModelDescription& model() const override { return model_; }
  Result<RequestId> Generate(GenerateRequest, std::unique_ptr<EventSink>) override {
    return RequestId{1};
  }
  Result<RequestId> Score(ScoreRequest, std::unique_ptr<EventSink>) override {
    return RequestId{1};
  }
  Status Abort(RequestId) override {
    ++abort_count;
    return OkStatus();
  }
  void Wake() override { ++wake_count; }
  Result<std::vector<TokenPiece>> Tokenize(std::string_view,
                                           const TokenizeOptions&) const override {
    return std::vector<TokenPiece>();
  }
  Result<std::string> Detokenize(std::span<const TokenId>, bool) const override { return ""; }
  Result<std::string> ApplyTemplate(std::span<const ChatMessage>,
                                    const ChatTemplateOptions&) const override {
    return "";
  }
  EngineStats GetStats() const override { return {}; }
  Result<MemoryPlan> Resize(std::uint64_t) override { return MemoryPlan(); }
  Result<std::unique_ptr<RoutingRecording>> RecordRouting() override {
    return Failure(UnavailableError("records nothing"));
  }
  bool Drain(std::uint32_t) override { return true; }

  int abort_count = 0;
  int wake_count = 0;

 private:
  ModelDescription model_;
};

class ResponseStreamTest : public ::testing::Test {
 protected:
  void Submit() { stream_->Submitted(&engine_, RequestId{1}); }
  // Waits for what the stream's thread was given.
  void Settle() {
    std::promise<void> reached;
    thread_.Post([&] { reached.set_value(); });
    reached.get_future().wait();
  }
  void Written(bool ok = true) {
    --stream_->in_flight;
    stream_->OnWritten(ok);
  }

  RecordingEngine engine_;
  StreamThread thread_;
  int observed_ = 0;
  std::shared_ptr<TestStream> stream_ = std::make_shared<TestStream>(
      thread_, [this](RequestId, const FinishedEvent&) { ++observed_; });
  std::unique_ptr<EventSink> sink_ = stream_->MakeSink();
};

TEST_F(ResponseStreamTest, WritesOneAfterTheOtherAndFinishesOnce) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  sink_->OnPromptProgress({});
  sink_->OnChunk(Chunk("a"));
  sink_->OnChunk(Chunk("b"));
  sink_->OnFinished(Finished());
  sink_.reset();
  Settle();
  EXPECT_THAT(stream_->written, ElementsAre("<started>"));
  Written();
  Written();
  Written();
  EXPECT_EQ(stream_->finish_count, 0);
  Written();
  EXPECT_THAT(stream_->written, ElementsAre("<started>", "a", "b", "<finished>"));
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_TRUE(stream_->status.ok());
  EXPECT_EQ(observed_, 1);
  EXPECT_EQ(engine_.abort_count, 0);
}

TEST_F(ResponseStreamTest, NothingIsWrittenOrFinishedBeforeTheSubmissionIsDone) {
  sink_->OnStarted({.request = RequestId{1}});
  sink_->OnFinished(Finished());
  stream_->OnCallCancelled();
  Settle();
  EXPECT_EQ(stream_->finish_count, 0) << "the request message would be freed in use";
  Submit();
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_EQ(stream_->status.code(), StatusCode::kCancelled);
}

TEST_F(ResponseStreamTest, RefusalFinishes) {
  sink_.reset();
  stream_->Submitted(&engine_, Failure(ResourceExhaustedError("full")));
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_TRUE(stream_->was_refused);
  EXPECT_EQ(stream_->status.message(), "full");
  stream_->OnCallCancelled();
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_EQ(engine_.abort_count, 0);
}

TEST_F(ResponseStreamTest, CancelBeforeTheRequestIsKnownAbortsIt) {
  stream_->OnCallCancelled();
  EXPECT_EQ(engine_.abort_count, 0);
  Submit();
  EXPECT_EQ(engine_.abort_count, 1);
  EXPECT_EQ(stream_->finish_count, 1);
}

TEST_F(ResponseStreamTest, CancelWhileIdleAbortsAndFinishes) {
  Submit();
  stream_->OnCallCancelled();
  stream_->OnCallCancelled();
  EXPECT_EQ(engine_.abort_count, 1);
  EXPECT_EQ(stream_->finish_count, 1);
  // The engine goes on until its next layer.
  EXPECT_TRUE(sink_->CanTake());
  sink_->OnChunk(Chunk("late"));
  sink_->OnFinished(Finished(CancelledError("aborted")));
  Settle();
  EXPECT_TRUE(stream_->written.empty());
  EXPECT_EQ(stream_->finish_count, 1);
}

TEST_F(ResponseStreamTest, CancelDuringAWriteFinishesAfterIt) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  Settle();
  stream_->OnCallCancelled();
  EXPECT_EQ(stream_->finish_count, 0);
  Written(false);
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_EQ(engine_.abort_count, 1);
}

TEST_F(ResponseStreamTest, FailedWriteAborts) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  sink_->OnChunk(Chunk("a"));
  Settle();
  Written(false);
  EXPECT_EQ(engine_.abort_count, 1);
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_THAT(stream_->written, ElementsAre("<started>"));
}

TEST_F(ResponseStreamTest, CancelAfterTheEngineIsDoneAbortsNothing) {
  Submit();
  sink_->OnFinished(Finished());
  Settle();
  stream_->OnCallCancelled();
  Written(false);
  EXPECT_EQ(engine_.abort_count, 0);
  EXPECT_EQ(stream_->finish_count, 1);
}

TEST_F(ResponseStreamTest, SlowReaderStopsTheEngineAndWakesIt) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  Settle();
  int sent = 0;
  for (; sink_->CanTake(); ++sent) sink_->OnChunk(Chunk("x"));
  EXPECT_EQ(static_cast<std::size_t>(sent), EventQueue::kEventsMax / 2 + 1);
  EXPECT_EQ(engine_.wake_count, 0);
  Written();
  EXPECT_EQ(engine_.wake_count, 1);
  EXPECT_TRUE(sink_->CanTake());
  Written();
  EXPECT_EQ(engine_.wake_count, 1) << "woken without need";
}

TEST_F(ResponseStreamTest, OverflowEndsTheRequest) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  Settle();
  sink_->OnChunk(Chunk(std::string(EventQueue::kBytesMax + 1, 'x')));
  EXPECT_EQ(engine_.abort_count, 1);
  sink_->OnFinished(Finished(CancelledError("aborted")));
  Written();
  EXPECT_EQ(stream_->finish_count, 1);
  EXPECT_EQ(stream_->status.code(), StatusCode::kResourceExhausted);
}

TEST_F(ResponseStreamTest, SinkMayOutliveTheCall) {
  Submit();
  stream_->OnCallCancelled();
  stream_->OnCallOver();
  const std::weak_ptr<TestStream> weak = stream_;
  stream_.reset();
  Settle();
  EXPECT_FALSE(weak.expired());
  sink_->OnFinished(Finished(CancelledError("aborted")));
  Settle();
  sink_.reset();
  Settle();
  EXPECT_TRUE(weak.expired());
}

TEST(ResponseStreamStallTest, UnreadEndIsCancelled) {
  class Stalled final : public ResponseStream {
   public:
    explicit Stalled(StreamThread& thread) : ResponseStream(thread, 1, {}) {}
    using ResponseStream::OnCallOver;
    std::promise<void> cancelled;

   private:
    bool StartMessage(StreamEvent) override { return true; }  // a write that never ends
    void FinishCall(const Status&, bool) override {}
    void CancelCall() override { cancelled.set_value(); }
  };
  StreamThread thread;
  RecordingEngine engine;
  const auto stream = std::make_shared<Stalled>(thread);
  const auto sink = stream->MakeSink();
  stream->Submitted(&engine, RequestId{1});
  sink->OnFinished(Finished());
  stream->cancelled.get_future().wait();
  stream->OnCallOver();
}

TEST(EventQueueTest, BoundsEventsAndBytes) {
  EventQueue queue;
  std::size_t taken = 0;
  while (queue.Push(Chunk("x"))) ++taken;
  EXPECT_EQ(taken, EventQueue::kEventsMax);
  EXPECT_TRUE(queue.Push(Finished())) << "the end is always taken";
  EXPECT_EQ(queue.size(), EventQueue::kEventsMax + 1);
  queue.Clear();
  EXPECT_TRUE(queue.CanTake());
  EXPECT_TRUE(queue.Push(Chunk(std::string(EventQueue::kBytesMax / 2, 'x'))));
  EXPECT_FALSE(queue.CanTake());
  EXPECT_FALSE(queue.Push(Chunk(std::string(EventQueue::kBytesMax / 2, 'x'))));
  EXPECT_TRUE(queue.Pop());
  EXPECT_TRUE(queue.CanTake());
  EXPECT_FALSE(queue.Pop());
}

TEST(EventQueueTest, ProgressReplacesProgress) {
  EventQueue queue;
  queue.Push(PromptProgressEvent{.processed_tokens = 1});
  queue.Push(PromptProgressEvent{.processed_tokens = 2});
  EXPECT_EQ(queue.size(), 1U);
  EXPECT_EQ(std::get<PromptProgressEvent>(*queue.Pop()).processed_tokens, 2U);
}

}  // namespace
}  // namespace edgemoe
