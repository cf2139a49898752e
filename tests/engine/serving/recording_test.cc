// SPDX-License-Identifier: Apache-2.0
//
// The facade's replay: rows in the order of the options, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/replay.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

TestFile TraceFile(const std::string& rows) {
  const std::string text =
      "# route_trace v1\n# model=m arch=a n_layer=1 n_expert=4 n_expert_used=1\n"
      "# layer=0 expert_bytes=10\n"
      "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes\n" +
      rows;
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  return TestFile(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

constexpr const char* kRows =
    "0,0,0,0,0,2,1,0,10\n"
    "0,1,1,0,0,2,1,1,0\n"
    "0,1,2,0,0,3,1,0,10\n"
    "0,1,3,0,0,2,1,1,0\n";

TEST(ReplayTraceTest, OneRowForEachCombination) {
  const TestFile file = TraceFile(kRows);
  const auto rows =
      ReplayTrace({.trace_path = file.path(),
                   .policies = {"lru", "lfu", "lfru", "edgemoe", "edgemoe-printed", "belady"},
                   .predictors = {"none", "path", "previous-token"},
                   .budgets_bytes = {10, 20}});
  ASSERT_TRUE(rows) << rows.error().ToString();
  ASSERT_EQ(rows->size(), 6U * 3 * 2);
  EXPECT_EQ((*rows)[0].policy, "lru");
  EXPECT_EQ((*rows)[3].predictor, "path");
  EXPECT_EQ((*rows)[1].budget_bytes, 20U);
  for (const ReplayResult& row : *rows) {
    EXPECT_EQ(row.decode_tokens, 3U);
    EXPECT_EQ(row.decode_uses, 3U);
    EXPECT_EQ(row.prefill_uses, 1U);
    EXPECT_EQ(row.prefill_hits, 0U);
    if (row.predictor != "none") continue;
    EXPECT_EQ(row.decode_hits, row.budget_bytes == 10 ? 1U : 2U) << row.policy;
    EXPECT_EQ(row.decode_demand_bytes, 10 * (row.decode_uses - row.decode_hits));
    EXPECT_EQ(row.prefetch_bytes, 0U);
    EXPECT_EQ(row.guess_uses, 0U);
  }
}

TEST(ReplayTraceTest, RefusesWithWords) {
  const TestFile file = TraceFile(kRows);
  const ReplayOptions good{
      .trace_path = file.path(), .policies = {"lru"}, .predictors = {}, .budgets_bytes = {10}};
  ASSERT_TRUE(ReplayTrace(good));
  const auto error = [](const ReplayOptions& options) {
    return ReplayTrace(options).error().ToString();
  };
  ReplayOptions options = good;
  options.policies = {"lru", "fifo"};
  EXPECT_EQ(error(options),
            "INVALID_ARGUMENT: policies: found \"fifo\"; accepted: \"lfru\", \"lru\", \"lfu\", "
            "\"edgemoe\", \"belady\", \"edgemoe-printed\"");
  options = good;
  options.predictors = {"router"};
  EXPECT_EQ(error(options),
            "INVALID_ARGUMENT: predictors: found \"router\"; accepted: \"none\", \"path\", "
            "\"previous-token\"");
  options = good;
  options.budgets_bytes.clear();
  EXPECT_EQ(error(options), "INVALID_ARGUMENT: budgets: found 0; accepted: [1, 64]");
  options.budgets_bytes.assign(65, 1);
  EXPECT_EQ(error(options), "INVALID_ARGUMENT: budgets: found 65; accepted: [1, 64]");
  options = good;
  options.trace_path = "/nowhere/trace.csv";
  EXPECT_EQ(error(options), "NOT_FOUND: trace: /nowhere/trace.csv: No such file or directory");
  options.trace_path = testing::TempDir();
  EXPECT_FALSE(ReplayTrace(options)) << "a folder";
  const TestFile wrong = TraceFile("0,0,0,0,0,4,1,0,10\n");
  options.trace_path = wrong.path();
  EXPECT_EQ(error(options),
            "INVALID_ARGUMENT: " + wrong.path() + ":5: expert: found \"4\"; accepted: [0, 3]");
}

}  // namespace
}  // namespace edgemoe
