// SPDX-License-Identifier: Apache-2.0
//
// The bodies of calls as any front end runs them: without gRPC, on the caller's thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "server/calls/inference.h"
#include "server/calls/model_changes.h"
#include "server/calls/models.h"
#include "server/calls/observe.h"
#include "tests/server/fake_engine.h"
#include "tests/server/fake_wire.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using ::testing::HasSubstr;

// A wire that a client reads as fast as it can.
class EagerWire final : public CallWire {
 public:
  explicit EagerWire(std::shared_ptr<SingleWriter> stream) : stream_(std::move(stream)) {
    stream_->Attach(*this);
  }
  // The end of the call, with what was written before. Once.
  const FakeWire& Wait() {
    ended_.get_future().wait();
    stream_->OnOver();
    return wire_;
  }
  const FakeWire& seen() const { return wire_; }

  void Write(const google::protobuf::Message& message) override {
    wire_.Write(message);
    --wire_.in_flight;
    thread_.Post([this] { stream_->OnWritten(true); });
  }
  void End(const Status& status) override {
    wire_.End(status);
    ended_.set_value();
  }
  void Cancel() override {}

 private:
  FakeClock clock_;
  const std::shared_ptr<SingleWriter> stream_;
  FakeWire wire_;
  std::promise<void> ended_;
  StreamThread thread_{clock_};
};

class BodiesTest : public ::testing::Test {
 protected:
  BodiesTest() {
    std::filesystem::create_directory(folder_ / "models");
    slot_.Publish(engine_);
  }
  ~BodiesTest() override {
    pulls_.Stop();
    workers_.Join();
    streams_.Join();
    slot_.Withdraw();
  }

  TempFolder folder_;
  FakeClock clock_;
  FakeEngine engine_{{}};
  EngineSlot slot_;
  SharedBudget budget_{slot_, 10'000, {}};
  PackRunner packs_{budget_, clock_, {}};
  PullRunner pulls_{[] { return ConnectToDownloadProgram({}); }, packs_, {}};
  HeaderRunner headers_{[] { return Failure(UnavailableError("none")); }, {}};
  RetryDelay retry_delay_{4};
  RequestTable live_{[] { return std::uint64_t{0x7}; }};
  const Caller caller_{.peer = "uid 7, pid 9", .owner = "uid 7"};
  WorkerPool workers_{1, 16};
  StreamThread streams_{clock_};
  RequestMemory requests_{streams_, [] {}};
  const ServiceParts parts_{.engines = slot_,
                            .budget = budget_,
                            .packs = packs_,
                            .pulls = pulls_,
                            .headers = headers_,
                            .workers = workers_,
                            .streams = streams_,
                            .requests = requests_,
                            .retry_delay = retry_delay_,
                            .live = live_,
                            .engine_options = [] { return EngineOptions(); },
                            .options_of =
                                [](const std::string& path) {
                                  EngineOptions options;
                                  options.model_path = path;
                                  options.top_k = 7;
                                  return options;
                                },
                            .models_directory = folder_ / "models",
                            .new_seed = [] { return std::uint64_t{7}; },
                            .in_configuration =
                                [](const Status& status) {
                                  return Status(status.code(), "memory.budget", "in other words");
                                },
                            .log = {}};
};

TEST_F(BodiesTest, GetModelTellsWhatAFileWouldBeServedWith) {
  std::ofstream(folder_ / "models/other.gguf") << "x";
  v1::GetModelRequest request;
  request.set_name("other");
  v1::GetModelResponse response;
  ASSERT_TRUE(calls::GetModel(request, response, parts_, caller_).ok());
  ASSERT_EQ(response.model().settings_size(), 1);
  EXPECT_EQ(response.model().settings(0).name(), "top_k");
  EXPECT_EQ(response.model().settings(0).source(), v1::SETTING_SOURCE_CONFIGURATION);
  v1::ListModelsResponse list;
  ASSERT_TRUE(calls::ListModels({}, list, parts_, caller_).ok());
  ASSERT_EQ(list.models_size(), 2);
  EXPECT_EQ(list.models(1).settings_size(), 0);
}

TEST_F(BodiesTest, PlansSpeakTheWordsOfTheConfiguration) {
  v1::PlanRequest request;
  request.set_budget_bytes(10);
  v1::PlanResponse plan;
  ASSERT_TRUE(calls::Plan(request, plan, parts_, caller_).ok());
  EXPECT_FALSE(plan.plan().fits());
  EXPECT_EQ(plan.plan().explanation(), "memory.budget: in other words");

  v1::ResizeRequest resize;
  resize.set_budget_bytes(5000);
  v1::ResizeResponse resized;
  ASSERT_TRUE(calls::Resize(resize, resized, parts_, caller_).ok());
  EXPECT_EQ(resized.plan().explanation(), "fits");
  v1::GetStatsRequest ask;
  v1::GetStatsResponse stats;
  ASSERT_TRUE(calls::GetStats(ask, stats, parts_, caller_).ok());
  EXPECT_EQ(stats.memory().budget_bytes(), 5000U);
  resize.set_budget_bytes(10);
  EXPECT_EQ(calls::Resize(resize, resized, parts_, caller_),
            Status(StatusCode::kResourceExhausted, "budget_bytes", "needs at least 1000")
                .WithReason(Reason::kBudgetTooSmall))
      << "the request's own field";
}

TEST_F(BodiesTest, EveryUnaryCallAnswersByItself) {
  v1::TokenizeRequest tokenize;
  tokenize.set_text("ab");
  const auto stream = std::make_shared<TokenStream>(streams_, workers_, 60'000);
  EagerWire wire(stream);
  calls::Tokenize(tokenize, stream, parts_, caller_);
  const FakeWire& seen = wire.Wait();
  ASSERT_TRUE(seen.status.ok());
  ASSERT_EQ(seen.messages.size(), 1U);
  EXPECT_EQ(dynamic_cast<const v1::TokenizeResponse&>(*seen.messages[0]).tokens_size(), 3);
  v1::DetokenizeRequest detokenize;
  detokenize.add_tokens(5);
  v1::DetokenizeResponse text;
  ASSERT_TRUE(calls::Detokenize(detokenize, text, parts_, caller_).ok());
  EXPECT_EQ(text.text(), "t5");
  detokenize.set_from_start(false);
  ASSERT_TRUE(calls::Detokenize(detokenize, text, parts_, caller_).ok());
  EXPECT_EQ(text.text(), " t5");
  v1::ApplyTemplateRequest apply;
  apply.add_messages()->set_role("user");
  apply.mutable_messages(0)->add_content()->set_text("hi");
  v1::ApplyTemplateResponse prompt;
  ASSERT_TRUE(calls::ApplyTemplate(apply, prompt, parts_, caller_).ok());
  EXPECT_EQ(prompt.prompt(), "hi");
  v1::AbortResponse aborted;
  EXPECT_EQ(calls::Abort({}, aborted, parts_, caller_).code(), StatusCode::kNotFound);
  v1::ListModelsResponse list;
  ASSERT_TRUE(calls::ListModels({}, list, parts_, caller_).ok());
  EXPECT_EQ(list.models_size(), 1);
  v1::GetModelResponse model;
  ASSERT_TRUE(calls::GetModel({}, model, parts_, caller_).ok());
  EXPECT_EQ(model.model().name(), "fake");
  v1::GetStatsResponse stats;
  ASSERT_TRUE(calls::GetStats({}, stats, parts_, caller_).ok());
  EXPECT_EQ(stats.model(), "fake");
  v1::ProbeResponse probe;
  ASSERT_TRUE(calls::Probe({}, probe, parts_, caller_).ok());
  EXPECT_EQ(probe.device(), "8:1");
}

TEST_F(BodiesTest, CompleteStreamsToAnyWire) {
  v1::CompleteRequest request;
  request.set_prompt("hello");
  request.mutable_stopping()->set_max_tokens(2);
  const auto stream = calls::MakeResponseStream(parts_, "Complete", caller_);
  EagerWire wire(stream);
  calls::Complete(request, stream, parts_, caller_);
  const FakeWire& seen = wire.Wait();
  EXPECT_TRUE(seen.status.ok());
  std::string text;
  for (const auto& message : seen.messages)
    text += static_cast<const v1::CompleteResponse&>(*message).chunk().text();
  EXPECT_EQ(text, " word word");
  const auto& first = static_cast<const v1::CompleteResponse&>(*seen.messages.front());
  EXPECT_EQ(first.started().seed(), 7U);
  EXPECT_EQ(first.started().request_id(), "0000000000000007");
  EXPECT_TRUE(static_cast<const v1::CompleteResponse&>(*seen.messages.back()).has_finished());
}

TEST_F(BodiesTest, EmbedStreamsAVectorForEachText) {
  v1::EmbedRequest request;
  request.add_texts("four");
  request.add_texts("seventh");
  const auto stream = calls::MakeResponseStream(parts_, "Embed", caller_);
  EagerWire wire(stream);
  calls::Embed(request, stream, parts_, caller_);
  const FakeWire& seen = wire.Wait();
  EXPECT_TRUE(seen.status.ok());
  std::vector<v1::Embedding> embeddings;
  for (const auto& message : seen.messages) {
    const auto& response = static_cast<const v1::EmbedResponse&>(*message);
    if (response.has_embedding()) embeddings.push_back(response.embedding());
  }
  ASSERT_EQ(embeddings.size(), 2U);
  EXPECT_EQ(embeddings[1].index(), 1U);
  EXPECT_THAT(embeddings[1].values(), testing::ElementsAre(7, 7, 1));
  const auto& first = static_cast<const v1::EmbedResponse&>(*seen.messages.front());
  EXPECT_EQ(first.started().request_id(), "0000000000000007");
  EXPECT_TRUE(static_cast<const v1::EmbedResponse&>(*seen.messages.back()).has_finished());
}

TEST_F(BodiesTest, BadRequestsEndTheirStreams) {
  const auto status_of = [&](const auto& request, auto body) {
    const auto stream = calls::MakeResponseStream(parts_, "Complete", caller_);
    EagerWire wire(stream);
    body(request, stream, parts_, caller_);
    const FakeWire& seen = wire.Wait();
    EXPECT_TRUE(seen.messages.empty());
    return seen.status;
  };
  v1::CompleteRequest complete;
  EXPECT_THAT(status_of(complete, calls::Complete).message(), HasSubstr("input: not set"));
  complete.set_model("other");
  EXPECT_EQ(status_of(complete, calls::Complete).code(), StatusCode::kNotFound);
  EXPECT_THAT(status_of(v1::ChatRequest(), calls::Chat).message(), HasSubstr("messages: found 0"));
  EXPECT_THAT(status_of(v1::ScoreRequest(), calls::Score).message(), HasSubstr("input: not set"));
  v1::EmbedRequest embed;
  embed.set_pooling(static_cast<v1::Pooling>(9));
  EXPECT_THAT(status_of(embed, calls::Embed).message(),
              HasSubstr("pooling: found 9; accepted: POOLING_MEAN, POOLING_LAST, POOLING_FIRST"));
}

// The loaded model by the name of a link to its file, and others.
TEST_F(BodiesTest, NamesMeanTheSameInEveryCall) {
  const std::string loaded = folder_ / "engine.gguf";
  FakeEngine engine({.model_path = loaded});
  std::ofstream(loaded) << "x";
  std::ofstream(folder_ / "models/other.gguf") << "x";
  std::filesystem::create_symlink(loaded, folder_ / "models/link.gguf");
  slot_.Withdraw();
  slot_.Publish(engine);
  v1::DetokenizeRequest detokenize;
  detokenize.add_tokens(5);
  v1::DetokenizeResponse text;
  for (const char* name : {"", "fake", "link", "link.gguf", "engine"}) {
    detokenize.set_model(name);
    EXPECT_TRUE(calls::Detokenize(detokenize, text, parts_, caller_).ok()) << name;
    v1::GetModelRequest request;
    request.set_name(name);
    v1::GetModelResponse model;
    ASSERT_TRUE(calls::GetModel(request, model, parts_, caller_).ok()) << name;
    EXPECT_EQ(model.model().state(), v1::MODEL_STATE_LOADED);
    EXPECT_EQ(model.model().name(), "fake");
  }
  detokenize.set_model("other");
  const Status status = calls::Detokenize(detokenize, text, parts_, caller_);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(
      status.message(),
      R"(model: found "other", which is not loaded; accepted: "fake", the loaded one, or empty)");
  detokenize.set_model("none");
  EXPECT_EQ(calls::Detokenize(detokenize, text, parts_, caller_).message(),
            R"(model: found "none"; accepted: "fake", the loaded one, or empty)");
  v1::RemoveModelRequest remove;
  v1::RemoveModelResponse removed;
  for (const char* name : {"link", "fake"}) {  // what is loaded stays
    remove.set_name(name);
    EXPECT_EQ(calls::RemoveModel(remove, removed, parts_, caller_).code(),
              StatusCode::kFailedPrecondition);
  }
  remove.set_name("other.gguf");
  EXPECT_TRUE(calls::RemoveModel(remove, removed, parts_, caller_).ok());
  slot_.Withdraw();
  slot_.Publish(engine_);
}

TEST_F(BodiesTest, PackTakesNames) {
  std::ofstream(folder_ / "models/other.gguf") << "x";
  v1::PackRequest request;
  request.set_source_path("other");
  const Result<PackOptions> options = calls::PackJobOf(request, parts_);
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(options->source_path, folder_ / "models/other.gguf");
  EXPECT_EQ(options->output_path, folder_ / "models/other-pack.gguf");
  request.set_source_path("none");
  const Status status = calls::PackJobOf(request, parts_).error();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("source_path"));
}

// Before anything is downloaded.
TEST_F(BodiesTest, PullSaysWhatIsWrongWithThePackThatIsToFollow) {
  const auto refusal = [&](const v1::PackRequest& pack) {
    v1::PullRequest request;
    request.set_model("hf.co/a/b");
    *request.mutable_pack() = pack;
    const auto stream = std::make_shared<PullStream>(streams_);
    EagerWire wire(stream);
    calls::Pull(request, stream, parts_, caller_);
    return wire.Wait().status;
  };
  v1::PackRequest pack;
  pack.set_source_path("/m.gguf");
  EXPECT_THAT(refusal(pack).message(), HasSubstr("pack.source_path: found \"/m.gguf\""));
  pack.clear_source_path();
  pack.set_output_path("/m.gguf");
  EXPECT_THAT(refusal(pack).message(), HasSubstr("pack.output_path"));
  pack.clear_output_path();
  pack.set_bits(99);
  EXPECT_THAT(refusal(pack).message(), HasSubstr("bits: found 99"));
  pack.set_bits(4);
  pack.set_calibration_path("text");
  EXPECT_THAT(refusal(pack).message(), HasSubstr("pack.calibration_path"));
}

TEST_F(BodiesTest, PackTellsItsReportOrWhyNot) {
  const auto run = [&](const v1::PackRequest& request) {
    const auto stream = std::make_shared<PackStream>(streams_);
    auto wire = std::make_unique<EagerWire>(stream);
    calls::Pack(request, stream, parts_, caller_);
    (void)wire->Wait();
    return wire;
  };
  v1::PackRequest request;
  EXPECT_THAT(run(request)->seen().status.message(), HasSubstr("source_path: found \"\""));
  request.set_source_path(folder_ / "m.gguf");
  const auto wire = run(request);
  ASSERT_TRUE(wire->seen().status.ok()) << wire->seen().status.message();
  const auto& last = static_cast<const v1::PackResponse&>(*wire->seen().messages.back());
  EXPECT_EQ(last.report().file_bytes(), 100U);
}

TEST_F(BodiesTest, RecordTraceRefusesWithoutAnEngine) {
  slot_.Withdraw();
  const auto stream = std::make_shared<RecordStream>(streams_, workers_);
  EagerWire wire(stream);
  calls::RecordTrace({}, stream, parts_, caller_);
  EXPECT_EQ(wire.Wait().status.code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace edgemoe
