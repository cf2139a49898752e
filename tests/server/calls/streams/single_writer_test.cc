// SPDX-License-Identifier: Apache-2.0
//
// The one protocol of all streams, with a producer that the test holds: each order in which the two
// sides can act.
#include "server/calls/streams/single_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "edgemoe/v1/inference.pb.h"
#include "engine/base/random.h"
#include "tests/server/fake_wire.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using ::testing::ElementsAre;

// Gives the texts that it was told, and the end when it was told that.
class TestProducer final : public SingleWriter {
 public:
  explicit TestProducer(StreamThread& thread) : SingleWriter(thread) {}
  using SingleWriter::CancelAfter;

  void Tell(std::string text) {
    {
      const MutexLock lock(mutex_);
      texts_.push_back(std::move(text));
    }
    Wake();
  }
  void Finish(Status status) {
    {
      const MutexLock lock(mutex_);
      end_ = std::move(status);
    }
    Wake();
  }

  std::atomic<int> abandoned = 0;
  std::atomic<bool> ended = false;
  bool ends_when_abandoned = false;

 private:
  Turn Next() override {
    EXPECT_FALSE(asking_.exchange(true)) << "asked twice at once";
    EXPECT_FALSE(ended) << "asked after the end";
    Turn turn;
    {
      const MutexLock lock(mutex_);
      if (!texts_.empty()) {
        auto message = std::make_unique<v1::Chunk>();
        message->set_text(std::move(texts_.front()));
        texts_.pop_front();
        turn.message = std::move(message);
      } else if (end_) {
        ended = true;
        turn.end = *end_;
      }
    }
    asking_ = false;
    return turn;
  }
  void Abandon() override {
    ++abandoned;
    if (ends_when_abandoned) Finish(CancelledError("gone"));
  }

  std::atomic<bool> asking_ = false;
  Mutex mutex_;
  std::deque<std::string> texts_ GUARDED_BY(mutex_);
  std::optional<Status> end_ GUARDED_BY(mutex_);
};

class SingleWriterTest : public ::testing::Test {
 protected:
  SingleWriterTest() { stream_->Attach(wire_); }
  ~SingleWriterTest() override { thread_.Join(); }

  void Settle() {
    std::promise<void> reached;
    thread_.Post([&] { reached.set_value(); });
    reached.get_future().wait();
  }
  void Written(bool ok = true) {
    --wire_.in_flight;
    stream_->OnWritten(ok);
  }

  FakeClock clock_;
  StreamThread thread_{clock_};
  FakeWire wire_;
  std::shared_ptr<TestProducer> stream_ = std::make_shared<TestProducer>(thread_);
};

TEST_F(SingleWriterTest, OneWriteIsInFlightAndTheEndComesOnce) {
  stream_->Tell("a");
  Settle();
  EXPECT_TRUE(wire_.written.empty()) << "before it is open";
  stream_->Open();
  EXPECT_THAT(wire_.written, ElementsAre("a"));
  stream_->Tell("b");
  stream_->Finish(DataLossError("why"));
  Settle();
  EXPECT_THAT(wire_.written, ElementsAre("a"));
  Written();
  EXPECT_THAT(wire_.written, ElementsAre("a", "b"));
  EXPECT_EQ(wire_.end_count, 0);
  Written();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(wire_.status, DataLossError("why"));
  stream_->OnCancelled();
  stream_->Tell("late");
  Settle();
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(SingleWriterTest, AnIdleStreamIsWoken) {
  stream_->Open();
  stream_->Tell("a");
  Settle();
  Written();
  EXPECT_EQ(wire_.in_flight, 0);
  stream_->Tell("b");
  Settle();
  EXPECT_THAT(wire_.written, ElementsAre("a", "b"));
}

TEST_F(SingleWriterTest, RefusalEndsWithoutAskingTheProducer) {
  stream_->Tell("a");
  stream_->Refuse(ResourceExhaustedError("full"));
  EXPECT_TRUE(wire_.written.empty());
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_EQ(wire_.status, ResourceExhaustedError("full"));
  stream_->OnCancelled();
  Settle();
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(SingleWriterTest, NothingEndsBeforeItIsOpen) {
  stream_->ends_when_abandoned = true;
  stream_->OnCancelled();
  Settle();
  EXPECT_TRUE(stream_->client_has_gone());
  EXPECT_EQ(wire_.end_count, 0) << "the request message would be freed in use";
  stream_->Open();
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(SingleWriterTest, AProducerMayEndAtOnceWhenTheClientHasGone) {
  stream_->ends_when_abandoned = true;
  stream_->Open();
  stream_->OnCancelled();
  stream_->OnCancelled();
  Settle();
  EXPECT_EQ(stream_->abandoned, 1);
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(SingleWriterTest, OrLaterAndWhatItStillGivesIsDropped) {
  stream_->Open();
  stream_->Tell("a");
  stream_->Tell("b");
  Settle();
  Written(false);
  EXPECT_EQ(stream_->abandoned, 1) << "a failed write means that the client has gone";
  EXPECT_EQ(wire_.end_count, 0);
  stream_->Tell("c");
  Settle();
  EXPECT_THAT(wire_.written, ElementsAre("a"));
  stream_->Finish(CancelledError("at last"));
  Settle();
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_THAT(wire_.written, ElementsAre("a"));
}

TEST_F(SingleWriterTest, CancelDuringAWriteWaitsForIt) {
  stream_->ends_when_abandoned = true;
  stream_->Open();
  stream_->Tell("a");
  Settle();
  stream_->OnCancelled();
  Settle();
  EXPECT_EQ(wire_.end_count, 0);
  Written(false);
  Settle();
  EXPECT_EQ(wire_.end_count, 1);
}

TEST_F(SingleWriterTest, CancelsACallThatIsNotOverInTime) {
  stream_->Open();
  stream_->CancelAfter(10);
  stream_->CancelAfter(20);
  clock_.Advance(19'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 0) << "the last one counts";
  clock_.Advance(1'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 1);
  stream_->CancelAfter(10);
  stream_->OnOver();
  stream_->CancelAfter(10);
  clock_.Advance(1'000'000'000);
  Settle();
  EXPECT_EQ(wire_.cancel_count, 1) << "the wire is gone";
}

// A wire whose writes end on a thread of their own, at once: what is told arrives once and in
// order, whatever the two sides do at the same time.
class BusyWire final : public CallWire {
 public:
  explicit BusyWire(StreamThread& thread) : thread_(thread) {}
  void SetStream(std::shared_ptr<SingleWriter> stream) { stream_ = std::move(stream); }
  std::future<Status> ended() { return ended_.get_future(); }

  void Write(const google::protobuf::Message& message) override {
    EXPECT_EQ(in_flight_.fetch_add(1), 0);
    written.push_back(static_cast<const v1::Chunk&>(message).text());
    thread_.Post([this] {
      --in_flight_;
      stream_->OnWritten(true);
    });
  }
  void End(const Status& status) override {
    EXPECT_EQ(in_flight_, 0);
    ended_.set_value(status);
  }
  void Cancel() override {}

  std::vector<std::string> written;  // by whoever holds the turn

 private:
  StreamThread& thread_;
  std::shared_ptr<SingleWriter> stream_;
  std::atomic<int> in_flight_ = 0;
  std::promise<Status> ended_;
};

TEST(SingleWriterRaceTest, NoWakeIsLost) {
  constexpr int kStreams = 200;
  constexpr int kTextsMax = 20;
  const SteadyClock clock;
  StreamThread stream_thread(clock);
  StreamThread wire_thread(clock);
  for (std::uint64_t seed = 0; seed < kStreams; ++seed) {
    Random random(seed);
    BusyWire wire(wire_thread);
    const auto stream = std::make_shared<TestProducer>(stream_thread);
    wire.SetStream(stream);
    stream->Attach(wire);
    std::future<Status> ended = wire.ended();
    const int texts = static_cast<int>(random.NextBelow(kTextsMax));
    const int open_at = static_cast<int>(random.NextBelow(static_cast<std::uint64_t>(texts) + 1));
    for (int i = 0; i < texts; ++i) {
      if (i == open_at) stream->Open();
      stream->Tell(std::to_string(i));
    }
    if (open_at == texts) stream->Open();
    stream->Finish(OkStatus());
    ASSERT_EQ(ended.wait_for(kPatience), std::future_status::ready) << seed;
    ASSERT_EQ(wire.written.size(), static_cast<std::size_t>(texts)) << seed;
    for (int i = 0; i < texts; ++i)
      EXPECT_EQ(wire.written[static_cast<std::size_t>(i)], std::to_string(i));
    wire.SetStream(nullptr);
  }
}

}  // namespace
}  // namespace edgemoe
