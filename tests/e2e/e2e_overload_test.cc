// SPDX-License-Identifier: Apache-2.0
//
// Clients that ask for too much or take too little.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <deque>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using client::StatusCode;

class E2eOverloadTest : public testing::Test {
 protected:
  // Whether nothing runs or waits any more within kPatience.
  static bool BecomesIdle(client::Client& client) {
    return WaitUntil([&] {
      const auto stats = client.GetStats();
      return stats && stats->requests().running() == 0 && stats->requests().queued() == 0 &&
             stats->kv_cache().blocks_used() == 0;
    });
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
};

TEST_F(E2eOverloadTest, AThousandRequestsAtOnce) {
  DaemonProcess daemon(socket_, {"--sessions-max", "4", "--queue-max", "16"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  std::deque<client::CompleteStream> streams;
  for (int i = 0; i < 1000; ++i) streams.push_back(client.Complete(Greedy("Once upon", 8)));
  int answered = 0;
  int refused = 0;
  std::vector<std::int32_t> tokens;
  for (client::CompleteStream& stream : streams) {
    const ReceivedAnswer answer = Receive(std::move(stream));
    if (answer.status.ok()) {
      EXPECT_EQ(answer.tokens.size(), 8u);
      if (tokens.empty()) tokens = answer.tokens;
      EXPECT_EQ(answer.tokens, tokens);
      ++answered;
    } else {
      EXPECT_EQ(answer.status.code, StatusCode::kResourceExhausted) << answer.status.ToString();
      EXPECT_GT(answer.status.retry_delay_ms.value_or(0), 0u);
      ++refused;
    }
  }
  EXPECT_GE(answered, 4);
  EXPECT_EQ(answered + refused, 1000);
  EXPECT_TRUE(Receive(client.Complete(Greedy("Once upon", 8))).status.ok());
  EXPECT_TRUE(BecomesIdle(client));
  EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
}

TEST_F(E2eOverloadTest, AClientThatNeverReadsIsEndedAndHoldsUpNobody) {
  DaemonProcess daemon(socket_, {"--stall-timeout-ms", "2000", "--sessions-max", "2"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  // Little fits between the daemon and this client.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4096);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto lazy = v1::InferenceService::NewStub(
      grpc::CreateCustomChannel("unix:" + socket_, grpc::InsecureChannelCredentials(), arguments));
  v1::CompleteRequest request = Greedy("Once", 500);
  request.mutable_response()->set_top_logprobs(20);
  grpc::ClientContext context;
  const auto stream = lazy->Complete(&context, request);

  v1::CompleteResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_TRUE(message.has_started());

  client::Client other = daemon.Connect();
  EXPECT_TRUE(Receive(other.Complete(Greedy("Once upon a time", 16))).status.ok());
  EXPECT_TRUE(BecomesIdle(other));
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
}

// Storage is so slow that the prompt takes long: an answer that had to wait for it would tell of a
// request that has ended.
TEST_F(E2eOverloadTest, StatsAndTokenizeAnswerWhileALongPromptRuns) {
  DaemonProcess daemon(socket_, {"--expert-budget", "6MiB", "--prefill-chunk-tokens", "16",
                                 "--io-faults", "slow:ms=200"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  std::string prompt;
  for (int i = 0; i < 40; ++i) prompt += "The cat sat on the mat. ";
  client::CompleteStream stream = client.Complete(Greedy(prompt, 1));
  const auto runs = [&] {
    const auto stats = client.GetStats();
    return stats && stats->requests().running() == 1 && stats->requests().finished() == 0 &&
           stats->tokens().prompt() > 0 && stats->tokens().completion() == 0;
  };
  ASSERT_TRUE(WaitUntil(runs)) << daemon.log();
  v1::TokenizeRequest tokenize;
  tokenize.set_text(prompt);
  EXPECT_TRUE(client.Tokenize(tokenize));
  EXPECT_TRUE(runs()) << "the prompt was over before something else was answered";
  stream.Cancel();
  EXPECT_FALSE(stream.Finish().ok());
  EXPECT_TRUE(BecomesIdle(client));
  EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
}

TEST_F(E2eOverloadTest, ManyAtOnceSayWhatEachWouldSayAlone) {
  DaemonProcess daemon(socket_, {"--expert-budget", "12MiB", "--sessions-max", "4"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  const std::vector<std::string> prompts = {"Once upon a time", "The dog", "Lily had a red ball",
                                            "In the park",      "One day", "Tom and his mom"};
  std::vector<std::vector<std::int32_t>> alone;
  for (const std::string& prompt : prompts)
    alone.push_back(Receive(client.Complete(Greedy(prompt, 24))).tokens);
  std::deque<client::CompleteStream> streams;
  for (const std::string& prompt : prompts) streams.push_back(client.Complete(Greedy(prompt, 24)));
  for (std::size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(Receive(std::move(streams[i])).tokens, alone[i]) << prompts[i];
  EXPECT_EQ(daemon.Stop(), 0) << daemon.log();
}

}  // namespace
}  // namespace edgemoe
