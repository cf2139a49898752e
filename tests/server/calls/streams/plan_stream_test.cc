// SPDX-License-Identifier: Apache-2.0
#include "server/calls/streams/plan_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edgemoe/v1/inference.pb.h"
#include "tests/server/fake_wire.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;

std::unique_ptr<const SingleWriter::Message> Text(const std::string& text) {
  auto message = std::make_unique<v1::Chunk>();
  message->set_text(text);
  return message;
}

// The test is the run.
class PlanStreamTest : public testing::Test {
 protected:
  PlanStreamTest() {
    stream_->Attach(wire_);
    stream_->SetPlanner({.plan = [](const PullHeader& header) { return Text(header.quant); },
                         .conclude = [] { return Text("all"); }});
  }
  ~PlanStreamTest() override { streams_.Join(); }

  // What waits to be written is.
  void Write() {
    while (wire_.in_flight > 0) {
      --wire_.in_flight;
      stream_->OnWritten(true);
    }
  }

  FakeClock clock_;
  StreamThread streams_{clock_};
  HeaderRunner runner_{[]() -> Result<std::unique_ptr<DownloadConnection>> {
                         return Failure(UnavailableError("no program"));
                       },
                       {}};
  FakeWire wire_;
  const std::shared_ptr<PlanStream> stream_ = std::make_shared<PlanStream>(streams_, runner_);
};

TEST_F(PlanStreamTest, WritesEachModelAndTheConclusion) {
  stream_->OnHeader({.quant = "a"});
  stream_->OnHeader({.quant = "b"});
  EXPECT_TRUE(stream_->wants_more());
  stream_->OnEnded(PullReport());
  stream_->Open();
  Write();
  EXPECT_THAT(wire_.written, ElementsAre("a", "b", "all"));
  EXPECT_EQ(wire_.end_count, 1);
  EXPECT_TRUE(wire_.status.ok());
}

TEST_F(PlanStreamTest, AnErrorEndsItBehindWhatThereIs) {
  stream_->OnHeader({.quant = "a"});
  stream_->OnEnded(Failure(UnavailableError("the network")));
  stream_->Open();
  Write();
  EXPECT_THAT(wire_.written, ElementsAre("a"));
  EXPECT_EQ(wire_.status.code(), StatusCode::kUnavailable);
}

TEST_F(PlanStreamTest, WantsNoMoreOnceTheClientHasGone) {
  stream_->OnHeader({.quant = "a"});
  stream_->OnCancelled();
  EXPECT_FALSE(stream_->wants_more());
  stream_->OnHeader({.quant = "b"});
  stream_->OnEnded(PullReport());
  stream_->Open();
  EXPECT_THAT(wire_.written, ElementsAre());
  EXPECT_EQ(wire_.status.code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace edgemoe
