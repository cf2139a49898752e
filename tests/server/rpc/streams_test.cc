// SPDX-License-Identifier: Apache-2.0
//
// Streaming calls over a real socket: the good path, every way in which a client can go, overload.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "server/calls/streams/record_stream.h"
#include "server/calls/streams/response_stream.h"
#include "server/rpc/status_mapping.h"
#include "tests/server/server_fixture.h"

namespace edgemoe {
namespace {

using ::testing::HasSubstr;
using Reader = std::unique_ptr<grpc::ClientReader<v1::CompleteResponse>>;

v1::CompleteRequest Request(const std::string& prompt,
                            std::optional<std::uint32_t> max_tokens = {}) {
  v1::CompleteRequest request;
  request.set_prompt(prompt);
  if (max_tokens) request.mutable_stopping()->set_max_tokens(*max_tokens);
  return request;
}

struct Answer {
  grpc::Status status;
  std::vector<v1::CompleteResponse> messages;
  std::string text;
  const v1::Finished& finished() const { return messages.back().finished(); }
};

// Of Complete; a chat's messages are the same on the wire.
template <class Message>
Answer ReadAll(grpc::ClientReader<Message>& reader) {
  Answer answer;
  Message message;
  while (reader.Read(&message)) {
    answer.text += message.chunk().text();
    EXPECT_TRUE(answer.messages.emplace_back().ParseFromString(message.SerializeAsString()));
  }
  answer.status = reader.Finish();
  return answer;
}

Answer Complete(v1::InferenceService::Stub& stub, const v1::CompleteRequest& request) {
  grpc::ClientContext context;
  return ReadAll(*stub.Complete(&context, request));
}

TEST(StreamsTest, CompleteStreamsStartedChunksFinished) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::CompleteRequest request = Request("hello", 5);
  request.mutable_sampling()->set_seed(99);
  request.set_model("fake");
  const Answer answer = Complete(*stub, request);
  ASSERT_TRUE(answer.status.ok()) << answer.status.error_message();
  ASSERT_GE(answer.messages.size(), 7U);
  const v1::Started& started = answer.messages.front().started();
  EXPECT_EQ(started.request_id(), "0000000000000001");
  EXPECT_EQ(started.prompt_tokens(), 3U);
  EXPECT_EQ(started.seed(), 99U);
  EXPECT_EQ(started.model(), "fake");
  EXPECT_EQ(answer.text, " word word word word word");
  EXPECT_EQ(answer.finished().reason(), v1::FINISH_REASON_MAX_TOKENS);
  EXPECT_EQ(answer.finished().usage().completion_tokens(), 5U);
}

TEST(StreamsTest, AbsentSeedIsMadeUpAndTold) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  EXPECT_EQ(Complete(*stub, Request("a", 1)).messages.front().started().seed(), 1000U);
  EXPECT_EQ(Complete(*stub, Request("a", 1)).messages.front().started().seed(), 1001U);
}

TEST(StreamsTest, TextHeldBackComesBeforeFinished) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  const Answer answer = Complete(*stub, Request("short"));
  EXPECT_EQ(answer.text, " wordheld back");
  EXPECT_TRUE(answer.messages.back().has_finished());
}

TEST(StreamsTest, LogprobsOnlyWhenAskedFor) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::CompleteRequest request = Request("a", 1);
  request.mutable_response()->set_top_logprobs(1);
  bool seen = false;
  for (const auto& message : Complete(*stub, request).messages) {
    if (!message.has_chunk()) continue;
    seen = true;
    ASSERT_EQ(message.chunk().logprobs_size(), 1);
    EXPECT_EQ(message.chunk().logprobs(0).sampled().text(), " t7");
    EXPECT_EQ(message.chunk().logprobs(0).top(0).token(), 8);
  }
  EXPECT_TRUE(seen);
}

TEST(StreamsTest, ChatRunsTheTemplate) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::ChatRequest request;
  request.mutable_stopping()->set_max_tokens(2);
  v1::ChatMessage& message = *request.add_messages();
  message.set_role("user");
  message.add_content()->set_text("short");  // as the fake's template leaves it
  grpc::ClientContext context;
  EXPECT_EQ(ReadAll(*stub->Chat(&context, request)).text, " wordheld back");

  request.clear_messages();
  grpc::ClientContext none;
  const grpc::Status status = ReadAll(*stub->Chat(&none, request)).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("messages: found 0"));

  request.add_messages()->set_role("user");
  grpc::ClientContext empty;
  EXPECT_THAT(ReadAll(*stub->Chat(&empty, request)).status.error_message(),
              HasSubstr("messages: found 0 tokens"));
}

TEST(StreamsTest, ChatGivesThoughtsAndCallsApart) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::ChatRequest request;
  v1::ChatMessage& message = *request.add_messages();
  message.set_role("user");
  message.add_content()->set_text("tools");
  grpc::ClientContext context;
  const auto answer = ReadAll(*stub->Chat(&context, request));
  EXPECT_EQ(answer.text, "go{");
  v1::Chunk chunk;
  std::string request_id;
  v1::FinishReason reason = v1::FINISH_REASON_UNSPECIFIED;
  for (const auto& response : answer.messages) {
    if (response.has_started()) request_id = response.started().request_id();
    if (response.has_chunk()) chunk = response.chunk();
    if (response.has_finished()) reason = response.finished().reason();
  }
  EXPECT_EQ(reason, v1::FINISH_REASON_TOOL_CALLS);
  EXPECT_EQ(chunk.reasoning(), "Hm.");
  ASSERT_EQ(chunk.tool_calls_size(), 2);
  EXPECT_EQ(chunk.tool_calls(0).name(), "look");
  EXPECT_EQ(chunk.tool_calls(0).id(), request_id.substr(0, 6) + "000");
  EXPECT_EQ(chunk.tool_calls(0).arguments(), "{\"at\": 1}");
  EXPECT_TRUE(chunk.tool_calls(0).finished());
  EXPECT_EQ(chunk.tool_calls(1).index(), 1U);
  EXPECT_EQ(chunk.tool_calls(1).id(), "id");
  EXPECT_FALSE(chunk.tool_calls(1).finished());
  ASSERT_EQ(chunk.not_parsed_size(), 1);
  EXPECT_EQ(chunk.not_parsed(0).index(), 1U);
  EXPECT_EQ(chunk.not_parsed(0).reason(), "a call that is not JSON");
}

TEST(StreamsTest, ScoreSumsLogprobs) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  v1::ScoreRequest request;
  request.set_text("some text");
  grpc::ClientContext context;
  const auto reader = stub->Score(&context, request);
  v1::ScoreResponse message;
  ASSERT_TRUE(reader->Read(&message));
  EXPECT_TRUE(message.has_started());
  int scored = 0;
  while (reader->Read(&message)) scored += message.scored().logprobs_size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(scored, 3);
  EXPECT_EQ(message.finished().scored_tokens(), 3U);
  EXPECT_DOUBLE_EQ(message.finished().logprob_sum(), -1.5);
  EXPECT_NEAR(message.finished().perplexity(), 1.6487, 1e-3);
}

TEST(StreamsTest, BadRequestsNameTheField) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  const auto expect = [&](const v1::CompleteRequest& request, grpc::StatusCode code,
                          const std::string& words) {
    const Answer answer = Complete(*stub, request);
    EXPECT_EQ(answer.status.error_code(), code);
    EXPECT_THAT(answer.status.error_message(), HasSubstr(words));
    EXPECT_TRUE(answer.messages.empty());
  };
  v1::CompleteRequest request = Request("a");
  request.set_model("other");
  expect(request, grpc::StatusCode::NOT_FOUND, "model: found \"other\"; accepted: \"fake\"");
  expect(v1::CompleteRequest(), grpc::StatusCode::INVALID_ARGUMENT, "input: not set");
  request = Request("a");
  request.mutable_response()->set_top_logprobs(21);
  expect(request, grpc::StatusCode::INVALID_ARGUMENT, "response.top_logprobs: found 21");
  expect(Request(""), grpc::StatusCode::INVALID_ARGUMENT, "prompt: found 0 tokens");
  expect(Request(std::string(kMessageBytesMax + 1, 'x')), grpc::StatusCode::RESOURCE_EXHAUSTED,
         "larger than max");
}

TEST(StreamsTest, NotLoadedIsUnavailable) {
  TestServer server({.loaded = false});
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  const Answer answer = Complete(*stub, Request("a"));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("loading 42 %"));
}

TEST(StreamsTest, DrainingIsUnavailable) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  server.engine().Drain(0);
  EXPECT_EQ(Complete(*stub, Request("a")).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(StreamsTest, EngineErrorEndsTheCallAfterItsAccount) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  const Answer answer = Complete(*stub, Request("fail"));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(answer.status.error_message(), HasSubstr("expert 3 of layer 1"));
  EXPECT_EQ(answer.finished().reason(), v1::FINISH_REASON_ERROR);
  EXPECT_EQ(answer.finished().usage().completion_tokens(), 2U);
  EXPECT_TRUE(Complete(*stub, Request("a", 1)).status.ok()) << "others go on";
}

TEST(StreamsTest, CancelledCallFreesTheEngine) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  for (const char* prompt : {"hang", "endless"}) {
    grpc::ClientContext context;
    const Reader reader = stub->Complete(&context, Request(prompt));
    v1::CompleteResponse message;
    ASSERT_TRUE(reader->Read(&message));
    context.TryCancel();
    EXPECT_EQ(ReadAll(*reader).status.error_code(), grpc::StatusCode::CANCELLED);
    EXPECT_TRUE(server.engine().WaitIdle()) << prompt;
  }
}

TEST(StreamsTest, DeadlineFreesTheEngine) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  const Reader reader = stub->Complete(&context, Request("hang"));
  EXPECT_EQ(ReadAll(*reader).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(server.engine().WaitIdle());
}

TEST(StreamsTest, DisconnectFreesTheEngine) {
  TestServer server;
  UniqueFd fd = server.Connect();
  ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  const int raw = fd.Release();  // the channel's
  const auto stub = v1::InferenceService::NewStub(grpc::CreateInsecureChannelFromFd("s", raw));
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("hang"));
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));
  ASSERT_EQ(server.engine().active(), 1U);
  ::shutdown(raw, SHUT_RDWR);
  EXPECT_TRUE(server.engine().WaitIdle());
  EXPECT_FALSE(ReadAll(*reader).status.ok());
}

TEST(StreamsTest, AbortEndsTheRequestOfAnotherConnection) {
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  const auto other = v1::InferenceService::NewStub(server.NewChannel());
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("hang"));
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));

  v1::AbortRequest abort;
  v1::AbortResponse response;
  abort.set_request_id(message.started().request_id());
  grpc::ClientContext abort_context;
  EXPECT_TRUE(other->Abort(&abort_context, abort, &response).ok());
  const Answer answer = ReadAll(*reader);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(answer.finished().reason(), v1::FINISH_REASON_CANCELLED);

  grpc::ClientContext again;
  EXPECT_EQ(other->Abort(&again, abort, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(StreamsTest, ClientThatNeverReadsPausesItsRequestOnly) {
  TestServer server({.engine = {.stall_timeout_ms = 300'000}});
  const auto stub = v1::InferenceService::NewStub(server.NewNarrowChannel());
  const auto other = v1::InferenceService::NewStub(server.NewChannel());
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("large"));
  ASSERT_TRUE(server.engine().WaitPaused());
  // 16 KiB each: what the queue, the transport and the socket hold, and no more.
  EXPECT_LT(server.engine().chunk_count(), 512U);
  EXPECT_TRUE(Complete(*other, Request("a", 3)).status.ok());
  context.TryCancel();
  EXPECT_TRUE(server.engine().WaitIdle());
}

TEST(StreamsTest, ReaderThatComesBackGetsEverything) {
  TestServer server({.engine = {.stall_timeout_ms = 300'000}});
  const auto stub = v1::InferenceService::NewStub(server.NewNarrowChannel());
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("large", 400));
  ASSERT_TRUE(server.engine().WaitPaused());
  const Answer answer = ReadAll(*reader);
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.text.size(), 400U * 16 * 1024);
}

// Time passes until the engine has ended every stalled stream: a stream that pauses for good may
// still have gone on for a while.
bool EndStalled(TestServer& server, std::uint64_t stall_timeout_ms) {
  return WaitUntil([&] {
    server.PassEngineMs(stall_timeout_ms);
    return server.engine().active() == 0;
  });
}

TEST(StreamsTest, StalledStreamEndsAndIsTold) {
  TestServer server({.engine = {.stall_timeout_ms = 1500}});
  const auto stub = v1::InferenceService::NewStub(server.NewNarrowChannel());
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("large"));
  ASSERT_TRUE(server.engine().WaitPaused());
  EXPECT_TRUE(EndStalled(server, 1500)) << "a stalled stream holds its place for ever";
  const Answer answer = ReadAll(*reader);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(answer.finished().reason(), v1::FINISH_REASON_ERROR);
}

TEST(StreamsTest, FinishedStreamThatNobodyReadsIsDropped) {
  TestServer server({.engine = {.stall_timeout_ms = 300}});
  const auto stub = v1::InferenceService::NewStub(server.NewNarrowChannel());
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("large"));
  ASSERT_TRUE(server.engine().WaitPaused());
  ASSERT_TRUE(EndStalled(server, 300));
  // The second timeout drops the call: what is read ends with CANCELLED. The server's destructor
  // proves that no call is left.
  server.PassStreamMs(300);
  EXPECT_EQ(ReadAll(*reader).status.error_code(), grpc::StatusCode::CANCELLED);
}

TEST(StreamsTest, RecordTraceTellsUntilItHasEnough) {
  TestServer server;
  const auto inference = v1::InferenceService::NewStub(server.NewChannel());
  const auto observe = v1::ObserveService::NewStub(server.NewChannel());
  v1::RecordTraceRequest record;
  record.set_steps_max(5);
  grpc::ClientContext context;
  const auto trace = observe->RecordTrace(&context, record);
  v1::RecordTraceResponse message;
  ASSERT_TRUE(trace->Read(&message));
  EXPECT_EQ(message.text(), "step\n");

  grpc::ClientContext second;
  v1::RecordTraceResponse unused;
  const auto refused = observe->RecordTrace(&second, record);
  EXPECT_FALSE(refused->Read(&unused));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);

  EXPECT_TRUE(Complete(*inference, Request("a", 3)).status.ok());
  server.PassStreamMs(RecordStream::kIntervalMs);
  ASSERT_TRUE(trace->Read(&message));
  EXPECT_EQ(message.text(), "1\n2\n3\n");
  EXPECT_EQ(message.steps(), 3U);
  EXPECT_TRUE(Complete(*inference, Request("a", 2)).status.ok());
  ASSERT_TRUE(trace->Read(&message)) << "what is there at the end needs no interval";
  EXPECT_EQ(message.text(), "4\n5\n");
  EXPECT_FALSE(trace->Read(&message));
  EXPECT_TRUE(trace->Finish().ok());
}

TEST(StreamsTest, ARecordingEndsWithItsClient) {
  TestServer server;
  const auto observe = v1::ObserveService::NewStub(server.NewChannel());
  {
    grpc::ClientContext context;
    const auto trace = observe->RecordTrace(&context, {});
    v1::RecordTraceResponse message;
    ASSERT_TRUE(trace->Read(&message));
    context.TryCancel();
    EXPECT_FALSE(trace->Read(&message));
    EXPECT_EQ(trace->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  EXPECT_TRUE(
      WaitUntil([&] { return server.engine().RecordRouting([](std::uint64_t) {}).has_value(); }));
}

TEST(StreamsTest, FullQueueIsRefusedWithARetryDelay) {
  TestServer server({.engine = {.sessions_max = 1, .queue_max = 1}});
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  grpc::ClientContext contexts[2];
  std::vector<Reader> readers;
  for (grpc::ClientContext& context : contexts)
    readers.push_back(stub->Complete(&context, Request("hang")));
  ASSERT_TRUE(server.engine().WaitActive(2));

  grpc::ClientContext context;
  const Answer answer = ReadAll(*stub->Complete(&context, Request("a")));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto delay = trailers.find("grpc-retry-pushback-ms");
  ASSERT_NE(delay, trailers.end());
  EXPECT_GE(std::stoi(std::string(delay->second.data(), delay->second.size())), 100);
  for (grpc::ClientContext& held : contexts) held.TryCancel();
  for (const Reader& reader : readers) reader->Finish();
  EXPECT_TRUE(server.engine().WaitIdle());
}

TEST(StreamsTest, AQueuedRequestGivesSignsOfLifeUntilItRuns) {
  TestServer server({.engine = {.sessions_max = 1, .queue_max = 1}});
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  grpc::ClientContext first_context;
  const Reader first = stub->Complete(&first_context, Request("hang"));
  ASSERT_TRUE(server.engine().WaitActive(1));
  grpc::ClientContext context;
  const Reader second = stub->Complete(&context, Request("a", 1));
  v1::CompleteResponse message;
  ASSERT_TRUE(second->Read(&message));
  EXPECT_EQ(message.started().queue_position(), 1U);
  for (int i = 0; i < 3; ++i) {
    server.PassStreamMs(ResponseStream::kWaitingMs);
    ASSERT_TRUE(second->Read(&message));
    EXPECT_TRUE(message.has_waiting()) << i;
  }
  first_context.TryCancel();
  first->Finish();
  const Answer answer = ReadAll(*second);
  EXPECT_TRUE(answer.status.ok());
  EXPECT_EQ(answer.finished().reason(), v1::FINISH_REASON_MAX_TOKENS);
}

// Waits for the ends of many calls.
class Countdown {
 public:
  explicit Countdown(int count) : left_(count) {}
  void CountDown() {
    if (--left_ == 0) none_left_.set_value();
  }
  // False when some are left after kPatience.
  bool Wait() { return none_left_.get_future().wait_for(kPatience) == std::future_status::ready; }

 private:
  std::atomic<int> left_;
  std::promise<void> none_left_;
};

// One call of many; counts how it ended.
class CountedCall : public grpc::ClientReadReactor<v1::CompleteResponse> {
 public:
  CountedCall(v1::InferenceService::Stub& stub, std::atomic<int>& ok, std::atomic<int>& refused,
              Countdown& countdown)
      : request_(Request("a", 3)), ok_(ok), refused_(refused), countdown_(countdown) {
    stub.async()->Complete(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    if (ok) StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    ok_ += status.ok();
    refused_ += status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
    countdown_.CountDown();
  }

 private:
  v1::CompleteRequest request_;
  grpc::ClientContext context_;
  v1::CompleteResponse message_;
  std::atomic<int>& ok_;
  std::atomic<int>& refused_;
  Countdown& countdown_;
};

TEST(StreamsTest, AThousandAtOnceAreAnsweredOrRefused) {
  constexpr int kCalls = 1000;
  TestServer server;
  const auto stub = v1::InferenceService::NewStub(server.NewChannel());
  std::atomic<int> ok = 0;
  std::atomic<int> refused = 0;
  Countdown countdown(kCalls);
  std::vector<std::unique_ptr<CountedCall>> calls;
  for (int i = 0; i < kCalls; ++i)
    calls.push_back(std::make_unique<CountedCall>(*stub, ok, refused, countdown));
  ASSERT_TRUE(countdown.Wait());
  EXPECT_EQ(ok + refused, kCalls);
  EXPECT_GT(ok, 0);
  EXPECT_TRUE(server.engine().WaitIdle());
  EXPECT_TRUE(Complete(*stub, Request("a", 1)).status.ok());
}

TEST(StreamsTest, ShutdownEndsCallsThatRun) {
  auto server = std::make_unique<TestServer>();
  const auto stub = v1::InferenceService::NewStub(server->NewChannel());
  grpc::ClientContext context;
  const Reader reader = stub->Complete(&context, Request("hang"));
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));
  server.reset();
  EXPECT_FALSE(ReadAll(*reader).status.ok());
}

}  // namespace
}  // namespace edgemoe
