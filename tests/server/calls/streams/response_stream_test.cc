// SPDX-License-Identifier: Apache-2.0
//
// The state machine of a streaming answer, without a front end and without an engine: each order in
// which the two sides can act.
#include "server/calls/streams/response_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "edgemoe/v1/inference.pb.h"
#include "server/calls/streams/event_queue.h"
#include "tests/server/fake_wire.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"

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

// Records what a stream asks of the engine.
class RecordingEngine final : public Engine {
 public:
  const ModelDescription& model() const override { return model_; }
  Status availability() const override { return OkStatus(); }
  Pulse pulse() const override { return {}; }
  Result<RequestId> Generate(GenerateRequest, std::unique_ptr<EventSink>) override {
    return RequestId{1};
  }
  Result<RequestId> Score(ScoreRequest, std::unique_ptr<EventSink>) override {
    return RequestId{1};
  }
  Result<RequestId> Embed(EmbedRequest, std::unique_ptr<EventSink>) override {
    return RequestId{1};
  }
  Status Abort(RequestId) override {
    ++abort_count;
    return OkStatus();
  }
  void Wake() override { ++wake_count; }
  Result<std::unique_ptr<TextTokens>> Tokenize(std::string, const TokenizeOptions&) const override {
    return Failure(UnavailableError("has no tokens"));
  }
  Result<std::string> Detokenize(std::span<const TokenId>,
                                 const DetokenizeOptions&) const override {
    return "";
  }
  Result<std::string> ApplyTemplate(std::span<const ChatMessage>,
                                    const ChatTemplateOptions&) const override {
    return "";
  }
  EngineStats GetStats() const override { return {}; }
  Result<MemoryPlan> Resize(std::uint64_t) override { return MemoryPlan(); }
  Result<std::unique_ptr<RoutingRecording>> RecordRouting(RecordedStepObserver) override {
    return Failure(UnavailableError("records nothing"));
  }
  bool Drain(std::uint32_t) override { return true; }

  int abort_count = 0;
  int wake_count = 0;

 private:
  ModelDescription model_;
};

// A message with the chunk's text, or the event's name; none for progress.
std::unique_ptr<const google::protobuf::Message> Translate(StreamEvent event) {
  if (std::holds_alternative<PromptProgressEvent>(event)) return nullptr;
  auto message = std::make_unique<v1::Chunk>();
  if (const auto* chunk = std::get_if<ChunkEvent>(&event)) {
    message->set_text(chunk->text);
  } else {
    message->set_text(std::holds_alternative<WaitingEvent>(event)   ? "<waiting>"
                      : std::holds_alternative<StartedEvent>(event) ? "<started>"
                                                                    : "<finished>");
  }
  return message;
}

class ResponseStreamTest : public ::testing::Test {
 protected:
  ResponseStreamTest() {
    slot_.Publish(engine_);
    stream_->SetTranslator(Translate);
    stream_->Attach(wire_);
  }
  ~ResponseStreamTest() override {
    sink_.reset();
    thread_.Join();
    stream_.reset();
    slot_.Withdraw();
  }

  void Submit() { stream_->Submitted(*slot_.LeaseDefault(), RequestId{1}); }
  // Waits for what the stream's thread was given.
  void Settle() {
    std::promise<void> reached;
    thread_.Post([&] { reached.set_value(); });
    reached.get_future().wait();
  }
  void Written(bool ok = true) {
    --wire_.in_flight;
    stream_->OnWritten(ok);
  }

  RecordingEngine engine_;
  EngineSlot slot_;
  FakeClock clock_;
  StreamThread thread_{clock_};
  int observed_ = 0;
  const Caller caller_{.peer = "uid 7, pid 9", .owner = "uid 7"};
  RequestTable table_{[] { return std::uint64_t{5}; }};
  FakeWire wire_;
  std::shared_ptr<ResponseStream> stream_ = std::make_shared<ResponseStream>(
      thread_, /*stall_timeout_ms=*/1000, "Complete", "uid 7",
      ResponseStream::Observers{.started = [](const RequestSummary&) {},
                                .finished =
                                    [this](const RequestSummary& request, const FinishedEvent&) {
                                      EXPECT_EQ(request.peer, "uid 7");
                                      ++observed_;
                                    }});
  std::unique_ptr<EventSink> sink_ = stream_->MakeSink();
};

TEST_F(ResponseStreamTest, ARequestThatWaitsGivesASignOfLife) {
  const auto pass = [this](std::uint64_t ms) {
    clock_.Advance(ms * 1'000'000);
    Settle();
    Settle();
  };
  Submit();
  sink_->OnStarted({.request = RequestId{1}, .queue_position = 2});
  Settle();
  Written();
  pass(ResponseStream::kWaitingMs - 1);
  EXPECT_THAT(wire_.written, ElementsAre("<started>"));
  pass(1);
  EXPECT_THAT(wire_.written, ElementsAre("<started>", "<waiting>"));
  pass(ResponseStream::kWaitingMs);
  pass(ResponseStream::kWaitingMs);
  Written();
  EXPECT_THAT(wire_.written, ElementsAre("<started>", "<waiting>", "<waiting>"))
      << "one alone is kept for a client that reads slowly";
  Written();
  EXPECT_FALSE(stream_->Summary().runs);
  sink_->OnPromptProgress({});
  EXPECT_TRUE(stream_->Summary().runs);
  pass(ResponseStream::kWaitingMs);
  EXPECT_THAT(wire_.written, ElementsAre("<started>", "<waiting>", "<waiting>"));
}

TEST_F(ResponseStreamTest, ARequestThatRunsAtOnceIsNotCalledWaiting) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  Settle();
  Written();
  clock_.Advance(ResponseStream::kWaitingMs * 1'000'000);
  Settle();
  Settle();
  EXPECT_THAT(wire_.written, ElementsAre("<started>"));
}

TEST_F(ResponseStreamTest, WritesOneAfterTheOtherAndFinishesOnce) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  sink_->OnPromptProgress({});
  sink_->OnChunk(Chunk("a"));
  sink_->OnChunk(Chunk("b"));
  sink_->OnFinished(Finished());
  sink_.reset();
  Settle();
  EXPECT_THAT(wire_.written, ElementsAre("<started>"));
  Written();
  Written();
  Written();
  EXPECT_EQ(wire_.end_count, 0);
  Written();
  EXPECT_THAT(wire_.written, ElementsAre("<started>", "a", "b", "<finished>"));
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_TRUE(wire_.status.ok());
  EXPECT_EQ(observed_, 1);
  EXPECT_EQ(engine_.abort_count, 0);
}

TEST_F(ResponseStreamTest, NothingIsWrittenOrFinishedBeforeTheSubmissionIsDone) {
  sink_->OnStarted({.request = RequestId{1}});
  sink_->OnFinished(Finished());
  stream_->OnCancelled();
  Settle();
  EXPECT_EQ(wire_.end_count, 0) << "the request message would be freed in use";
  Submit();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(wire_.status.code(), StatusCode::kCancelled);
}

TEST_F(ResponseStreamTest, RefusalFinishes) {
  sink_.reset();
  stream_->Submitted(*slot_.LeaseDefault(), Failure(ResourceExhaustedError("full")));
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(wire_.status.message(), "full");
  stream_->OnCancelled();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(engine_.abort_count, 0);
}

TEST_F(ResponseStreamTest, CancelBeforeTheRequestIsKnownAbortsIt) {
  stream_->OnCancelled();
  EXPECT_EQ(engine_.abort_count, 0);
  Submit();
  EXPECT_EQ(engine_.abort_count, 1);
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(ResponseStreamTest, CancelWhileIdleAbortsAndFinishes) {
  Submit();
  stream_->OnCancelled();
  stream_->OnCancelled();
  EXPECT_EQ(engine_.abort_count, 1);
  EXPECT_EQ(wire_.end_count, 1);
  // The engine goes on until its next layer.
  EXPECT_TRUE(sink_->CanTake());
  sink_->OnChunk(Chunk("late"));
  sink_->OnFinished(Finished(CancelledError("aborted")));
  Settle();
  EXPECT_TRUE(wire_.written.empty());
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(ResponseStreamTest, CancelDuringAWriteFinishesAfterIt) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  Settle();
  stream_->OnCancelled();
  EXPECT_EQ(wire_.end_count, 0);
  Written(false);
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(engine_.abort_count, 1);
}

TEST_F(ResponseStreamTest, FailedWriteAborts) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  sink_->OnChunk(Chunk("a"));
  Settle();
  Written(false);
  EXPECT_EQ(engine_.abort_count, 1);
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_THAT(wire_.written, ElementsAre("<started>"));
}

TEST_F(ResponseStreamTest, CancelAfterTheEngineIsDoneAbortsNothing) {
  Submit();
  sink_->OnFinished(Finished());
  Settle();
  stream_->OnCancelled();
  Written(false);
  EXPECT_EQ(engine_.abort_count, 0);
  EXPECT_EQ(wire_.end_count, 1);
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
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(wire_.status.code(), StatusCode::kResourceExhausted);
}

TEST_F(ResponseStreamTest, SinkMayOutliveTheCall) {
  Submit();
  stream_->OnCancelled();
  stream_->OnOver();
  const std::weak_ptr<ResponseStream> weak = stream_;
  stream_.reset();
  Settle();
  EXPECT_FALSE(weak.expired());
  sink_->OnFinished(Finished(CancelledError("aborted")));
  Settle();
  sink_.reset();
  Settle();
  EXPECT_TRUE(weak.expired());
}

TEST_F(ResponseStreamTest, IsInTheTableUntilTheEngineIsDone) {
  stream_->Name(table_.Add(stream_, caller_), "fake");
  ASSERT_EQ(table_.List(caller_).size(), 1U);
  Submit();
  EXPECT_FALSE(table_.List(caller_)[0].runs);
  sink_->OnStarted({.request = RequestId{1}, .prompt_tokens = 12});
  ChunkEvent chunk = Chunk("a");
  chunk.tokens = {TokenId{1}, TokenId{2}};
  sink_->OnChunk(std::move(chunk));
  const RequestSummary running = table_.List(caller_)[0];
  EXPECT_TRUE(running.runs);
  EXPECT_EQ(running.id, "0000000000000005");
  EXPECT_EQ(running.method, "Complete");
  EXPECT_EQ(running.model, "fake");
  EXPECT_EQ(running.prompt_tokens, 12U);
  EXPECT_EQ(running.completion_tokens, 2U);
  EXPECT_TRUE(table_.Abort("0000000000000005", caller_).ok());
  EXPECT_EQ(engine_.abort_count, 1);
  sink_->OnFinished(Finished(CancelledError("aborted")));
  EXPECT_TRUE(table_.List(caller_).empty()) << "though the client has not read the end yet";
}

TEST_F(ResponseStreamTest, AnAbortBeforeTheEngineHasTheRequestIsNotLost) {
  stream_->Name(table_.Add(stream_, caller_), "fake");
  EXPECT_TRUE(table_.Abort("0000000000000005", caller_).ok());
  EXPECT_EQ(engine_.abort_count, 0);
  Submit();
  EXPECT_EQ(engine_.abort_count, 1);
}

TEST_F(ResponseStreamTest, ALongStepBeforeTheStartIsNoWait) {
  Submit();
  clock_.Advance(ResponseStream::kWaitingMs * 1'000'000);
  Settle();
  Settle();
  EXPECT_TRUE(wire_.written.empty()) << "started comes first";
}

TEST_F(ResponseStreamTest, ARefusedRequestIsNotInTheTable) {
  stream_->Name(table_.Add(stream_, caller_), "fake");
  sink_.reset();
  stream_->Submitted(*slot_.LeaseDefault(), Failure(ResourceExhaustedError("full")));
  EXPECT_TRUE(table_.List(caller_).empty());
}

TEST_F(ResponseStreamTest, UnreadEndIsCancelledAfterTheStallTimeout) {
  Submit();
  sink_->OnStarted({.request = RequestId{1}});
  Settle();
  clock_.Advance(3'600'000'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 0) << "the engine itself ends what stalls while it runs";
  sink_->OnFinished(Finished());
  clock_.Advance(999'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 0);
  clock_.Advance(1'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 1);
  Written(false);
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(ResponseStreamTest, ACallThatIsOverIsNotCancelled) {
  Submit();
  sink_->OnFinished(Finished());
  Settle();
  Written();
  stream_->OnOver();
  clock_.Advance(3'600'000'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 0);
}

TEST_F(ResponseStreamTest, TheLeaseComesBackWithTheEnd) {
  Submit();
  auto withdrawal = std::async(std::launch::async, [&] { slot_.Withdraw(); });
  ASSERT_TRUE(WaitUntil([&] { return !slot_.LeaseDefault(); }));
  sink_->OnFinished(Finished());
  Settle();
  EXPECT_EQ(withdrawal.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  Written();
  withdrawal.wait();
  EXPECT_EQ(wire_.end_count, 1);
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
