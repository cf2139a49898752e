// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/trace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

constexpr const char* kHeader =
    "# route_trace v1\n"
    "# model=tiny arch=none n_layer=2 n_expert=4 n_expert_used=2\n"
    "# layer=0 expert_bytes=100 dense_bytes=7\n"
    "# layer=1 expert_bytes=200 dense_bytes=7\n"
    "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes\n";

Result<RoutingTrace> Read(const std::string& text) {
  std::istringstream input(text);
  return ReadTrace(input, "t.csv");
}

std::string ErrorOf(const std::string& rows) {
  const Result<RoutingTrace> trace = Read(kHeader + rows);
  return trace ? "OK" : trace.error().message();
}

TEST(TraceReaderTest, ReadsBatchesRowsAndChoices) {
  const Result<RoutingTrace> trace = Read(std::string(kHeader) +
                                          "0,0,0,0,0,3,0.75,0,100\n"
                                          "0,0,0,0,1,1,0.25,0,100\n"
                                          "0,0,1,0,0,2,1,0,100\n"
                                          "0,0,0,1,0,0,1,0,200\n"
                                          "0,0,1,1,0,0,1,1,0\n"
                                          "0,1,2,0,0,3,1,1,0\n"
                                          "0,1,2,1,0,3,1,0,200\n"
                                          "0,1,3,0,0,3,1,1,0\r\n"
                                          "5,1,9,0,0,2,1,1,0\n"
                                          "0,1,3,1,0,3,1,1,0\n"
                                          "5,1,9,1,0,3,1,1,0");
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->description.model, "tiny");
  EXPECT_THAT(trace->description.expert_bytes, testing::ElementsAre(100, 200));
  EXPECT_EQ(trace->decode_tokens, 3U);
  EXPECT_EQ(trace->sessions_max, 2U);
  ASSERT_EQ(trace->batches.size(), 6U);
  EXPECT_TRUE(trace->batches[0].begins_step);
  EXPECT_FALSE(trace->batches[1].begins_step);
  EXPECT_TRUE(trace->batches[2].begins_step);
  const std::span<const RoutedRow> prompt = trace->RowsOf(trace->batches[0]);
  ASSERT_EQ(prompt.size(), 2U);
  EXPECT_EQ(prompt[0].phase, RoutingPhase::kPrefill);
  ASSERT_EQ(prompt[0].choices.size(), 2U);
  EXPECT_EQ(prompt[0].choices[0].expert, 3U);
  EXPECT_EQ(prompt[0].choices[0].weight, 0.75F);
  EXPECT_EQ(prompt[1].position, 1U);
  const std::span<const RoutedRow> both = trace->RowsOf(trace->batches[4]);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].request, RequestId{1});
  EXPECT_EQ(both[1].request, RequestId{6});
  EXPECT_NE(both[0].session, both[1].session);
}

// A turn decodes one token at a time, also in a model of one layer.
TEST(TraceReaderTest, TellsTokensOfOneLayerApart) {
  const Result<RoutingTrace> trace = Read(
      "# n_layer=1 n_expert=4 n_expert_used=1\n# layer=0 expert_bytes=1\n" +
      std::string(kTraceColumns) + "\n0,1,0,0,0,3,1,0,1\n0,1,1,0,0,2,1,0,1\n0,1,2,0,0,2,1,0,1\n");
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->batches.size(), 3U);
  EXPECT_EQ(trace->decode_tokens, 3U);
}

TEST(TraceReaderTest, NamesLineColumnValueAndWhatIsAccepted) {
  EXPECT_EQ(ErrorOf("x,0,0,0,0,3,1,0,0\n"),
            "t.csv:6: turn: found \"x\"; accepted: [0, 4294967295]");
  EXPECT_EQ(ErrorOf("0,2,0,0,0,3,1,0,0\n"), "t.csv:6: phase: found \"2\"; accepted: [0, 1]");
  EXPECT_EQ(ErrorOf("0,0,-1,0,0,3,1,0,0\n"),
            "t.csv:6: step: found \"-1\"; accepted: [0, 4294967295]");
  EXPECT_EQ(ErrorOf("0,0,0,2,0,3,1,0,0\n"), "t.csv:6: layer: found \"2\"; accepted: [0, 1]");
  EXPECT_EQ(ErrorOf("0,0,0,0,2,3,1,0,0\n"), "t.csv:6: slot: found \"2\"; accepted: [0, 1]");
  EXPECT_EQ(ErrorOf("0,0,0,0,1,3,1,0,0\n"),
            "t.csv:6: slot: found \"1\"; accepted: 0, the rank in its token's choice");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,4,1,0,0\n"), "t.csv:6: expert: found \"4\"; accepted: [0, 3]");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,1,0,0\n0,0,0,0,1,3,1,0,0\n"),
            "t.csv:7: expert: found \"3\"; accepted: each expert once in a token's choice");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,nan,0,0\n"),
            "t.csv:6: weight: found \"nan\"; accepted: a number in [0, 1]");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,1.5,0,0\n"),
            "t.csv:6: weight: found \"1.5\"; accepted: a number in [0, 1]");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,1,yes,0\n"),
            "t.csv:6: residency: found \"yes\"; accepted: [0, 1]");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,1,0,9x\n"),
            "t.csv:6: expert_bytes: found \"9x\"; accepted: [0, 1099511627776]");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,1,0\n"),
            "t.csv:6: row: found \"0,0,0,0,0,3,1,0\"; accepted: 9 values between commas");
  EXPECT_EQ(ErrorOf("0,0,0,0,0,3,1,0,0,0\n"),
            "t.csv:6: row: found \"0,0,0,0,0,3,1,0,0,0\"; accepted: 9 values between commas");
  EXPECT_EQ(ErrorOf(""), "t.csv:5: row: found \"\"; accepted: at least one");
}

TEST(TraceReaderTest, ChecksTheHeader) {
  const auto error_of = [](const std::string& text) { return Read(text).error().message(); };
  const std::string columns(kTraceColumns);
  EXPECT_EQ(error_of("turn,phase\n"),
            "t.csv:1: columns: found \"turn,phase\"; accepted: " + columns);
  EXPECT_EQ(error_of(""), "t.csv:0: columns: found \"\"; accepted: " + columns);
  EXPECT_EQ(error_of("# route_trace v2\n"), "t.csv:1: route_trace: found \"v2\"; accepted: v1");
  EXPECT_THAT(error_of(columns + "\n"), testing::HasSubstr("a line with n_layer"));
  EXPECT_THAT(error_of("# n_layer=1\n" + columns + "\n"),
              testing::HasSubstr("a line with n_expert"));
  EXPECT_THAT(error_of("# n_layer=1 n_expert=4\n" + columns + "\n"),
              testing::HasSubstr("n_expert_used: found \"0\"; accepted: [1, 4]"));
  EXPECT_THAT(error_of("# n_layer=99999\n"), testing::HasSubstr("accepted: [0, 1024]"));
  EXPECT_THAT(error_of("# layer=0 expert_bytes=1\n"), testing::HasSubstr("n_layer in a line"));
  EXPECT_THAT(error_of("# n_layer=1\n# layer=1 expert_bytes=1\n"),
              testing::HasSubstr("t.csv:2: layer: found \"1\"; accepted: 0"));
  EXPECT_THAT(error_of("# n_layer=1 expert_bytes=1\n"), testing::HasSubstr("layer before it"));
  EXPECT_THAT(
      error_of("# n_layer=1 n_expert=4 n_expert_used=2\n" + columns + "\n0,0,0,0,0,3,1,0,0\n"),
      testing::HasSubstr("layers whose expert_bytes the header tells"));
}

TEST(TraceReaderTest, BoundsLines) {
  const Result<RoutingTrace> trace = Read("#" + std::string(kTraceLineBytesMax + 10, 'x') + "\n");
  ASSERT_FALSE(trace);
  EXPECT_EQ(trace.error().code(), StatusCode::kResourceExhausted);
}

TEST(TraceReaderTest, BoundsTurnsAtOnce) {
  std::string rows;
  for (int pass = 0; pass < 2; ++pass)
    for (std::uint32_t turn = 0; turn <= kTraceSessionsMax; ++turn)
      rows += std::to_string(turn) + ",1," + std::to_string(pass) + ",0,0,3,1,0,0\n";
  const Result<RoutingTrace> trace = Read(kHeader + rows);
  ASSERT_FALSE(trace);
  EXPECT_EQ(trace.error().code(), StatusCode::kResourceExhausted);
}

// Any text is refused with words or gives a trace whose parts fit together.
TEST(TraceReaderTest, AnyTextIsRefusedOrSound) {
  const std::string good = std::string(kHeader) +
                           "0,0,0,0,0,3,0.75,0,100\n0,0,0,0,1,1,0.25,0,100\n"
                           "0,0,0,1,0,0,1,0,200\n0,1,2,0,0,3,1,1,0\n0,1,2,1,0,3,1,0,200\n";
  const std::string alphabet = "0123456789,.-#=\n xe";
  std::size_t sound_count = 0;
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    Random random(seed);
    std::string text = good;
    for (std::uint64_t edits = 1 + random.NextBelow(3); edits > 0; --edits) {
      const std::size_t at = random.NextBelow(text.size());
      const char c = alphabet[random.NextBelow(alphabet.size())];
      switch (random.NextBelow(3)) {
        case 0: text[at] = c; break;
        case 1: text.erase(at, 1 + random.NextBelow(20)); break;
        default: text.insert(at, 1, c); break;
      }
      if (text.empty()) text = "#";
    }
    const Result<RoutingTrace> trace = Read(text);
    if (!trace) {
      ASSERT_THAT(trace.error().message(), testing::StartsWith("t.csv"));
      continue;
    }
    ++sound_count;
    std::size_t row_count = 0;
    for (const TraceBatch& batch : trace->batches) {
      ASSERT_EQ(batch.row_begin, row_count);
      ASSERT_LT(batch.layer.value, trace->layer_count());
      for (const RoutedRow& row : trace->RowsOf(batch)) {
        ASSERT_LT(row.session.value, trace->sessions_max);
        ASSERT_FALSE(row.choices.empty());
        for (const ExpertChoice& choice : row.choices)
          ASSERT_LT(choice.expert, trace->description.experts_per_layer);
      }
      row_count = batch.row_end;
    }
    ASSERT_EQ(row_count, trace->rows.size());
  }
  EXPECT_GT(sound_count, 100U);
}

}  // namespace
}  // namespace edgemoe
