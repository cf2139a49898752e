// SPDX-License-Identifier: Apache-2.0
#include "client/cli/setup/candidate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "client/cli/setup/drop_in.h"
#include "tests/support/child_process.h"

namespace edgemoe::cli {
namespace {

using ::testing::HasSubstr;

Candidate Of(const std::string& pull_name, double tokens_per_second,
             const std::string& problem = "") {
  Candidate candidate{.name = "m", .pull_name = pull_name, .bytes = 1, .problem = problem};
  if (tokens_per_second > 0) candidate.speed.emplace().set_tokens_per_second(tokens_per_second);
  return candidate;
}

TEST(RecommendCandidateTest, WhatIsHereThenTheFirstThatIsFastEnoughThenTheFastest) {
  EXPECT_EQ(RecommendCandidate({}), std::nullopt);
  EXPECT_EQ(RecommendCandidate({Of("", 9, "broken")}), std::nullopt);
  EXPECT_EQ(RecommendCandidate({Of("", 1), Of("a", 50)}), 0U);
  EXPECT_EQ(RecommendCandidate({Of("", 9, "broken"), Of("a", 2), Of("b", 5), Of("c", 50)}), 2U);
  EXPECT_EQ(RecommendCandidate({Of("a", 2), Of("b", 3), Of("c", 50, "too large")}), 1U);
  EXPECT_EQ(RecommendCandidate({Of("a", 0), Of("b", 0)}), 0U) << "speeds unknown";
}

TEST(CandidatesTableTest, TellsWhatIsKnown) {
  std::vector<Candidate> candidates = {Of("a", 0), Of("b", 0, "too large")};
  candidates[0].share = 0.5;
  const std::string table = CandidatesTable(candidates, 0);
  EXPECT_THAT(table, HasSubstr("*  1  m"));
  EXPECT_THAT(table, HasSubstr("50 %  unknown\n"));
  EXPECT_THAT(table, HasSubstr("no: too large\n"));
}

TEST(DropInTest, LiesWhereTheUsersDaemonLooks) {
  const TempFolder folder;
  ::setenv("XDG_CONFIG_HOME", "/home/a/conf", 1);
  EXPECT_EQ(*DropInFolder("/usr/bin/", 1000), "/home/a/conf/edgemoe/edgemoed.d");
  EXPECT_EQ(*DropInFolder("/usr/bin/", 0), "/etc/edgemoe/edgemoed.d");
  ::unsetenv("XDG_CONFIG_HOME");
  std::filesystem::create_directories(folder / "etc/edgemoe");
  EXPECT_EQ(*DropInFolder(folder / "bin/", 0), folder / "etc/edgemoe/edgemoed.d");
}

TEST(DropInTest, IsWrittenWithItsFolderAndReplaced) {
  const TempFolder folder;
  const auto path = WriteDropIn(folder / "a/edgemoed.d", DropInText("/m \"1\".gguf", 0));
  ASSERT_TRUE(path) << path.error().message;
  EXPECT_EQ(*path, folder / "a/edgemoed.d/50-setup.json");
  EXPECT_EQ(*WriteDropIn(folder / "a/edgemoed.d", DropInText("/n.gguf", 5)), *path);
  EXPECT_EQ(WriteDropIn("/proc/none", "").has_value(), false);
}

}  // namespace
}  // namespace edgemoe::cli
