// SPDX-License-Identifier: Apache-2.0
//
// A stream of a recording, without a front end; the engine's steps are the test's.
#include "server/calls/streams/record_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>

#include "tests/server/fake_engine.h"
#include "tests/server/fake_wire.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;

class RecordStreamTest : public ::testing::Test {
 protected:
  RecordStreamTest() {
    slot_.Publish(engine_);
    stream_->Attach(wire_);
  }
  ~RecordStreamTest() override {
    workers_.Join();
    thread_.Join();
    stream_.reset();
    slot_.Withdraw();
  }

  void Start(std::uint64_t steps_max, std::uint32_t time_limit_ms) {
    stream_->Start(*slot_.LeaseDefault(), steps_max, time_limit_ms);
  }
  // So many more steps of the engine.
  void Steps(std::uint32_t count) {
    class Sink final : public EventSink {
      void OnStarted(const StartedEvent&) override {}
      void OnPromptProgress(const PromptProgressEvent&) override {}
      void OnChunk(ChunkEvent) override {}
      void OnEmbedding(EmbeddingEvent) override {}
      void OnFinished(FinishedEvent) override {}
      bool CanTake() const override { return true; }
    };
    GenerateRequest request;
    request.prompt = "a";
    request.stop.max_tokens = count;
    ASSERT_TRUE(engine_.Generate(std::move(request), std::make_unique<Sink>()));
    ASSERT_TRUE(engine_.WaitIdle());
  }
  void Settle() {
    std::promise<void> reached;
    thread_.Post([&] { reached.set_value(); });
    reached.get_future().wait();
  }
  void PassMs(std::uint64_t ms) {
    clock_.Advance(ms * kNsPerMs);
    Settle();  // timers
    Settle();  // what they posted
  }
  void Written(bool ok = true) {
    --wire_.in_flight;
    stream_->OnWritten(ok);
  }
  // What the workers were given is done, and what follows of it.
  void SettleWorkers() {
    std::promise<void> reached;
    // Its queue may be full of what a timer has just posted.
    while (!workers_.TryPost([&] { reached.set_value(); })) std::this_thread::yield();
    reached.get_future().wait();
    Settle();
  }

  FakeEngine engine_{{}};
  EngineSlot slot_;
  FakeClock clock_;
  StreamThread thread_{clock_};
  WorkerPool workers_{1, 2};
  FakeWire wire_;
  std::shared_ptr<RecordStream> stream_ = std::make_shared<RecordStream>(thread_, workers_);
};

TEST_F(RecordStreamTest, TellsTheHeaderAtOnceAndStepsTogether) {
  Start(0, 0);
  EXPECT_THAT(wire_.written, ElementsAre("step\n"));
  Written();
  Steps(2);
  PassMs(RecordStream::kIntervalMs - 1);
  EXPECT_EQ(wire_.in_flight, 0) << "not yet";
  Steps(1);
  PassMs(1);
  EXPECT_THAT(wire_.written, ElementsAre("step\n", "1\n2\n3\n"));
  Written();
  PassMs(3'600'000);
  EXPECT_EQ(wire_.in_flight, 0) << "nothing happens without a step";
  Steps(1);
  PassMs(RecordStream::kIntervalMs);
  EXPECT_THAT(wire_.written, ElementsAre("step\n", "1\n2\n3\n", "4\n"));
}

TEST_F(RecordStreamTest, ASlowReaderLeavesTheRestInTheRecording) {
  Start(0, 0);
  Steps(1);
  PassMs(RecordStream::kIntervalMs);
  Steps(1);
  PassMs(RecordStream::kIntervalMs);
  EXPECT_THAT(wire_.written, ElementsAre("step\n"));
  Written();
  EXPECT_THAT(wire_.written, ElementsAre("step\n", "1\n2\n"));
  const auto& message = static_cast<const v1::RecordTraceResponse&>(*wire_.messages.back());
  EXPECT_EQ(message.steps(), 2U);
  EXPECT_EQ(message.steps_dropped(), 0U);
}

TEST_F(RecordStreamTest, EndsWithEnoughStepsAndTellsThemAll) {
  Start(3, 0);
  Written();
  Steps(2);
  Steps(1);
  SettleWorkers();
  EXPECT_THAT(wire_.written, ElementsAre("step\n", "1\n2\n3\n"));
  Steps(1);
  Written();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_TRUE(wire_.status.ok());
  EXPECT_TRUE(engine_.RecordRouting([](std::uint64_t) {})) << "the recording has gone";
}

TEST_F(RecordStreamTest, EndsWithTheTimeLimit) {
  Start(0, 2000);
  Written();
  PassMs(1999);
  SettleWorkers();
  EXPECT_EQ(wire_.end_count, 0);
  PassMs(1);
  SettleWorkers();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_TRUE(wire_.status.ok());
}

TEST_F(RecordStreamTest, LongTextGoesOutInWholeLines) {
  Start(0, 0);
  Written();
  // 200,000 lines of up to 7 bytes.
  Steps(200'000);
  PassMs(RecordStream::kIntervalMs);
  ASSERT_EQ(wire_.written.size(), 2U);
  EXPECT_LE(wire_.written[1].size(), RecordStream::kTextBytesMax);
  EXPECT_GT(wire_.written[1].size(), RecordStream::kTextBytesMax - 16);
  EXPECT_EQ(wire_.written[1].back(), '\n');
  Written();
  ASSERT_EQ(wire_.written.size(), 3U) << "the rest follows at once";
  EXPECT_TRUE(wire_.written[2].ends_with("\n200000\n"));
}

TEST_F(RecordStreamTest, AClientThatHasGoneEndsTheRecording) {
  Start(0, 0);
  Steps(1);
  stream_->OnCancelled();
  SettleWorkers();
  EXPECT_EQ(wire_.end_count, 0) << "a write is in flight";
  Written(false);
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_THAT(wire_.written, ElementsAre("step\n"));
  EXPECT_TRUE(engine_.RecordRouting([](std::uint64_t) {}));
}

TEST_F(RecordStreamTest, AClientThatWentBeforeTheStartEndsItToo) {
  stream_->OnCancelled();
  Start(0, 0);
  SettleWorkers();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_TRUE(wire_.written.empty());
}

TEST_F(RecordStreamTest, ASecondRecordingIsRefused) {
  const auto first = engine_.RecordRouting([](std::uint64_t) {});
  Start(0, 0);
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(wire_.status.code(), StatusCode::kFailedPrecondition);
}

TEST_F(RecordStreamTest, WhenAllWorkersAreTakenItTriesAgain) {
  Start(0, 0);
  Written();
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(workers_.TryPost([released] { released.wait(); }));
  stream_->OnCancelled();
  PassMs(RecordStream::kIntervalMs);
  EXPECT_EQ(wire_.end_count, 0);
  release.set_value();
  // The workers are free some time later; each interval tries once more.
  EXPECT_TRUE(WaitUntil([&] {
    PassMs(RecordStream::kIntervalMs);
    return wire_.end_count == 1;
  }));
}

}  // namespace
}  // namespace edgemoe
