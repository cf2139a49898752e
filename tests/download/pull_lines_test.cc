// SPDX-License-Identifier: Apache-2.0
#include "download/protocol/pull_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

PullAnswer ThereAndBack(const PullAnswer& answer) {
  const std::string line = EncodePullAnswer(answer);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return DecodePullAnswer(line).value();
}

TEST(PullLinesTest, AnswersComeThroughAsTheyAre) {
  const PullProgress progress{.is_checking = true,
                              .file_name = "m \"x\"\n.gguf",
                              .file_number = 1,
                              .file_count = 2,
                              .done_bytes = std::uint64_t{1} << 60,
                              .total_bytes = 7,
                              .resumed_bytes = 3,
                              .bytes_per_second = 1.5,
                              .seconds_left = 2.25};
  EXPECT_EQ(std::get<PullProgress>(ThereAndBack(progress)), progress);
  EXPECT_EQ(std::get<PullProgress>(ThereAndBack(PullProgress{})), PullProgress{});
  const PullReport report{.paths = {"/a", "/b"}, .bytes = 5, .was_there = true};
  EXPECT_EQ(std::get<PullReport>(ThereAndBack(report)), report);
  const PullHeader header{.quant = "Q4_K_M",
                          .pull_name = "hf.co/a/b:Q4_K_M",
                          .files = {{.name = "b.gguf", .bytes = 7, .sha256 = "ab"}, {.name = "c"}},
                          .bytes = std::uint64_t{1} << 60,
                          .architecture = "qwen3moe",
                          .path = "/d/1/b.gguf"};
  EXPECT_EQ(std::get<PullHeader>(ThereAndBack(header)), header);
  const PullHeader broken{.problem = InvalidField("model", "\"x\"", "y")};
  EXPECT_EQ(std::get<PullHeader>(ThereAndBack(broken)), broken);
  for (const Status& status : {NotFoundError("nothing there"), InvalidField("model", "\"x\"", "y"),
                               FailedPreconditionError("another").WithReason(Reason::kBusy),
                               ResourceExhaustedError("full").WithReason(Reason::kStorageFull)})
    EXPECT_EQ(std::get<Status>(ThereAndBack(status)), status) << status.ToString();
}

TEST(PullLinesTest, RequestsComeThroughAsTheyAre) {
  const PullRequest request{.model = "hf.co/a/b",
                            .directory = "/d",
                            .bytes_per_second_max = 9,
                            .reserve_bytes = 8,
                            .hub_endpoint = "http://h",
                            .hub_token = "hf_x",
                            .allow_private_redirects = true,
                            .headers_only = true};
  const PullRequest back = DecodePullRequest(EncodePullRequest(request)).value();
  EXPECT_EQ(back.model, request.model);
  EXPECT_EQ(back.directory, request.directory);
  EXPECT_EQ(back.bytes_per_second_max, 9u);
  EXPECT_EQ(back.reserve_bytes, 8u);
  EXPECT_EQ(back.hub_endpoint, request.hub_endpoint);
  EXPECT_EQ(back.hub_token, request.hub_token);
  EXPECT_TRUE(back.allow_private_redirects);
  EXPECT_TRUE(back.headers_only);
}

TEST(PullLinesTest, RefusesOtherLines) {
  for (const char* line : {"", "{", "[]", "{}", R"({"progress": 1})", R"({"report": {}})",
                           R"({"header": {}})", R"({"error": {"code": "x"}})"}) {
    EXPECT_FALSE(DecodePullAnswer(line)) << line;
    EXPECT_FALSE(DecodePullRequest(line)) << line;
  }
  // A request's text could hold a token.
  EXPECT_THAT(DecodePullRequest(R"({"hub_token": "hf_secret"})").error().message(),
              testing::Not(testing::HasSubstr("hf_secret")));
  // An error is one, whatever its number.
  const PullAnswer answer =
      DecodePullAnswer(
          R"({"error": {"code": 0, "message": "m", "field": "", "problem": "m", "busy": false,
          "storage_full": false}})")
          .value();
  EXPECT_EQ(std::get<Status>(answer).code(), StatusCode::kUnknown);
}

TEST(PullLinesTest, CutsLines) {
  LineReader lines;
  EXPECT_TRUE(lines.Add("one\ntw").ok());
  EXPECT_EQ(lines.Next(), "one");
  EXPECT_EQ(lines.Next(), std::nullopt);
  EXPECT_TRUE(lines.Add("o\n\n").ok());
  EXPECT_EQ(lines.Next(), "two");
  EXPECT_EQ(lines.Next(), "");
  EXPECT_EQ(lines.Next(), std::nullopt);
  EXPECT_EQ(lines.Add(std::string(kPullLineBytesMax + 1, 'x')).code(),
            StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace edgemoe
