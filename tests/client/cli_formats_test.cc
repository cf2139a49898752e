// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"
#include "client/cli/terminal/terminal.h"
#include "edgemoe/v1/inference.pb.h"
#include "edgemoe/v1/models.pb.h"

namespace edgemoe::cli {
namespace {

// The forms themselves are tested where they are parsed, in engine/base.
TEST(SizeTextTest, ParsesWhatTheDaemonParses) {
  EXPECT_EQ(SizeFromText("--budget", "4096"), 4096u);
  EXPECT_EQ(SizeFromText("--budget", "1200mib"), 1200u << 20);
  EXPECT_EQ(SizeFromText("--budget", "1.5 GiB"), 3u << 29);
  try {
    SizeFromText("--budget", "1XB");
    FAIL() << "1XB is no size";
  } catch (const CLI::ValidationError& error) {
    EXPECT_EQ(std::string(error.what()),
              "--budget: found \"1XB\"; accepted: a size as in 1200MiB, 1.5GiB, 2G, 10MB or 4096 "
              "(bytes)");
  }
}

TEST(DurationTextTest, Formats) {
  EXPECT_EQ(DurationText(42.4), "42 s");
  EXPECT_EQ(DurationText(1000), "17 min");
  EXPECT_EQ(DurationText(9000), "2.5 h");
}

TEST(SizeTextTest, Formats) {
  EXPECT_EQ(SizeText(std::uint64_t{12}), "12 B");
  EXPECT_EQ(SizeText(std::uint64_t{1536}), "1.50 KiB");
  EXPECT_EQ(SizeText(1.17 * 1073741824), "1.17 GiB");
}

TEST(JsonTest, ShowsWhatAMessageHolds) {
  v1::CompleteResponse message;
  message.mutable_started()->set_seed(18446744073709551615ULL);
  message.mutable_started()->set_model("m\"\n");
  EXPECT_EQ(ToJson(message),
            R"({"started":{"requestId":"","queuePosition":0,"promptTokens":0,"cachedTokens":0,)"
            R"("seed":"18446744073709551615","model":"m\"\n"}})");
  v1::SampledLogprob* logprob = message.mutable_chunk()->add_logprobs();
  logprob->mutable_sampled()->set_logprob(-0.5F);
  message.mutable_chunk()->add_tokens(5);
  EXPECT_EQ(ToJson(message),
            R"({"chunk":{"text":"","tokens":[5],"logprobs":[{"sampled":{"token":0,"text":"",)"
            R"("logprob":-0.5},"top":[]}],"reasoning":"","toolCalls":[],"notParsed":[]}})");
  message.mutable_finished()->set_reason(v1::FINISH_REASON_MAX_TOKENS);
  EXPECT_EQ(ToJson(message),
            R"({"finished":{"reason":"FINISH_REASON_MAX_TOKENS","stopSequence":""}})");
}

TEST(JsonTest, BytesAreInBase64) {
  v1::Token token;
  token.set_bytes("a\xE2\x82");
  EXPECT_EQ(nlohmann::json::parse(ToJson(token))["bytes"], "YeKC");
}

TEST(JsonTest, Errors) {
  EXPECT_EQ(ErrorJson({client::StatusCode::kResourceExhausted, "queue: full", 1500}),
            R"({"error":{"code":"RESOURCE_EXHAUSTED","message":"queue: full",)"
            R"("retryDelayMs":1500}})");
  EXPECT_EQ(
      ErrorJson(
          {client::StatusCode::kInvalidArgument, "bits: found 99", {}, "INVALID_FIELD", "bits"}),
      R"({"error":{"code":"INVALID_ARGUMENT","message":"bits: found 99",)"
      R"("reason":"INVALID_FIELD","field":"bits"}})");
}

TEST(TerminalTest, ControlsDoNotReachTheTerminal) {
  EXPECT_EQ(WithoutControls("a\tb\n\x1B[2J\r\x7F"),
            "a\tb\n\xEF\xBF\xBD[2J\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(WithoutControls("\xC2\x9B"
                            "1m\xC3\xA9"),
            "\xEF\xBF\xBD"
            "1m\xC3\xA9");
}

TEST(ExitCodeTest, DiffersByKind) {
  EXPECT_EQ(ExitCodeOf(client::StatusCode::kInvalidArgument), ExitCode::kBadInput);
  EXPECT_EQ(ExitCodeOf(client::StatusCode::kUnavailable), ExitCode::kUnavailable);
  EXPECT_EQ(ExitCodeOf(client::StatusCode::kDataLoss), ExitCode::kIo);
}

}  // namespace
}  // namespace edgemoe::cli
