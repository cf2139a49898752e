// SPDX-License-Identifier: Apache-2.0
//
// The bench's own arithmetic, tables and settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "bench/configuration.h"
#include "bench/measure.h"
#include "bench/statistics.h"
#include "bench/text_table.h"
#include "engine/base/accepted.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/test_file.h"

namespace edgemoe::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(StatisticsTest, Percentiles) {
  EXPECT_EQ(Percentile({}, 50), 0);
  const std::array one = {7.0};
  for (const double percent : {0.0, 50.0, 99.0, 100.0}) EXPECT_EQ(Percentile(one, percent), 7);
  const std::array values = {5.0, 1.0, 4.0, 2.0, 3.0};
  EXPECT_EQ(Percentile(values, 0), 1);
  EXPECT_EQ(Median(values), 3);
  EXPECT_EQ(Percentile(values, 100), 5);
  EXPECT_DOUBLE_EQ(Percentile(values, 95), 4.8);
  const std::array even = {1.0, 2.0, 10.0, 20.0};
  EXPECT_EQ(Median(even), 6);
  EXPECT_EQ(Ratio(1, 0), 0);
  EXPECT_EQ(Ratio(1, 4), 0.25);
}

TEST(TextTableTest, NumbersStandToTheRight) {
  TextTable table({"name", "tok/s", "x"});
  table.Add({"one", "7.25", "-"});
  table.Add({"a longer one", "1234.50", "1.5x"});
  EXPECT_EQ(table.Text(),
            "name            tok/s     x\n"
            "one              7.25     -\n"
            "a longer one  1234.50  1.5x\n");
  EXPECT_EQ(Fixed(1.005, 1), "1.0");
}

TEST(ParseShareTest, SizesAndShares) {
  EXPECT_EQ(*ParseShare("25%", 1000), 250u);
  EXPECT_EQ(*ParseShare("100%", 1000), 1000u);
  EXPECT_EQ(*ParseShare("12.5%", 1000), 125u);
  EXPECT_EQ(*ParseShare("2MiB", 1000), 2u << 20);
  for (const char* wrong : {"0%", "101%", "-5%", "%", "x%", "2 5%", "big"})
    EXPECT_FALSE(ParseShare(wrong, 1000)) << wrong;
}

std::variant<Settings, int> Parse(std::vector<std::string> words) {
  words.insert(words.begin(), "edgemoe-bench");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(SettingsTest, ListsReplaceTheDefaults) {
  const auto parsed = Parse({"baselines", "-m", "model.gguf", "--storage", "sata,sd", "--mode",
                             "edgemoe,mmap", "--json", "out.json", "-n", "5"});
  ASSERT_TRUE(std::holds_alternative<Settings>(parsed));
  const Settings& settings = std::get<Settings>(parsed);
  EXPECT_EQ(settings.json, "out.json");
  EXPECT_THAT(settings.command_line, HasSubstr("--storage sata,sd"));
  const RunSettings& run = std::get<BaselinesCommand>(settings.command).run;
  EXPECT_THAT(run.storages, ElementsAre("sata", "sd"));
  EXPECT_THAT(run.modes, ElementsAre("edgemoe", "mmap"));
  EXPECT_THAT(run.expert_budgets, ElementsAre("25%"));
  EXPECT_EQ(run.storage_scale, "paper");
  EXPECT_EQ(run.tokens, 5u);
}

TEST(SettingsTest, WrongCommandLinesAreRefused) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"decode"},
                                             {"decode", "-m", "x", "-n", "0"},
                                             {"decode", "-m", "x", "--runs", "many"},
                                             {"replay"},
                                             {"dance"}}) {
    const auto parsed = Parse(words);
    ASSERT_TRUE(std::holds_alternative<int>(parsed)) << testing::PrintToString(words);
    EXPECT_EQ(std::get<int>(parsed), 64);
  }
}

class ConfigurationsTest : public testing::Test {
 protected:
  RunSettings Settings() const {
    RunSettings run;
    run.models = {file_.path()};
    run.engine.threads = 1;
    return run;
  }
  const TestFile file_{TinyModelBytes({.layer_count = 3, .expert_count = 16})};
};

TEST_F(ConfigurationsTest, ErrorsNameTheFlag) {
  RunSettings run = Settings();
  run.engine.threads = 65;
  EXPECT_EQ(MakeConfigurations(run).error(), InvalidField("--threads", "65", "[0, 64]"));
  run = Settings();
  run.predictors = {"crystal"};
  EXPECT_EQ(MakeConfigurations(run).error().field(), "--predictor");
  run = Settings();
  run.budget = "1KiB";
  EXPECT_EQ(MakeConfigurations(run).error().field(), "--budget");
}

TEST_F(ConfigurationsTest, EveryCombinationButOnlyWhereItMatters) {
  RunSettings run = Settings();
  run.modes = {"edgemoe", "on-demand", "mmap"};
  run.policies = {"lru", "lfru"};
  run.predictors = {"none", "router"};
  run.expert_budgets = {"50%", "100%"};
  run.storages = {"real", "sd"};
  const auto made = MakeConfigurations(run);
  ASSERT_TRUE(made) << made.error().message();
  // edgemoe: 2 x 2 x 2 on each storage; on-demand once on each; mmap on real storage alone.
  EXPECT_EQ(made->list.size(), 2u * 8 + 2 + 1);
  ASSERT_EQ(made->notes.size(), 1u);
  EXPECT_THAT(made->notes[0], HasSubstr("mmap is not measured on \"sd\""));
  for (const Configuration& one : made->list) {
    EXPECT_TRUE(one.plan.fits);
    if (one.expert_budget != "50%") continue;
    EXPECT_NEAR(static_cast<double>(one.plan.expert_bytes),
                static_cast<double>(one.plan.expert_total_bytes) / 2, 8192);
  }
}

TEST_F(ConfigurationsTest, ThePaperScaleGivesAMissThePaperTime) {
  RunSettings run = Settings();
  run.storages = {"sata"};
  run.storage_scale = "paper";
  const auto made = MakeConfigurations(run);
  ASSERT_TRUE(made);
  const Configuration& one = made->list.at(0);
  const double expert_bytes = static_cast<double>(one.plan.expert_total_bytes) / (3 * 16);
  // 18,874,368 bytes at 550 MB/s.
  EXPECT_NEAR(expert_bytes / (550e6 * one.options.storage_scale), 0.0343, 0.0001);
}

// A pack and its source have the same memory and the same device: those of the first file.
TEST_F(ConfigurationsTest, FilesShareTheFirstOnesBudgetAndScale) {
  const TestFile half(TinyModelBytes({.layer_count = 3, .expert_count = 16, .expert_width = 32}));
  RunSettings run = Settings();
  run.models = {file_.path(), half.path()};
  run.modes = {"edgemoe", "on-demand", "mmap"};
  run.expert_budgets = {"40%"};
  run.storages = {"sata"};
  run.storage_scale = "paper";
  const auto made = MakeConfigurations(run);
  ASSERT_TRUE(made) << made.error().message();
  ASSERT_EQ(made->list.size(), 4u);
  EXPECT_EQ(made->notes.size(), 1u) << "said once";
  const Configuration& first = made->list[0];
  const Configuration& other = made->list[2];
  EXPECT_EQ(other.options.model_path, half.path());
  EXPECT_EQ(other.options.mode, "edgemoe");
  EXPECT_LT(other.plan.expert_total_bytes, first.plan.expert_total_bytes);
  EXPECT_EQ(other.options.expert_budget_bytes, first.options.expert_budget_bytes);
  for (const Configuration& one : made->list)
    EXPECT_EQ(one.options.storage_scale, first.options.storage_scale);
}

TEST_F(ConfigurationsTest, WrongSettingsAreNamed) {
  const auto message = [](const RunSettings& run) {
    const auto made = MakeConfigurations(run);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().message();
  };
  RunSettings run = Settings();
  run.storage_scale = "0";
  EXPECT_THAT(message(run), HasSubstr("--storage-scale: found \"0\""));
  run = Settings();
  run.expert_budgets = {"300%"};
  EXPECT_THAT(message(run), HasSubstr("--expert-budget: found \"300%\""));
  run = Settings();
  run.budget = "much";
  EXPECT_THAT(message(run), HasSubstr("--budget"));
  run = Settings();
  run.modes = {"fast"};
  EXPECT_THAT(message(run), HasSubstr("mode: found \"fast\""));
  run = Settings();
  run.budget = "64KiB";
  EXPECT_THAT(message(run), HasSubstr("the least that works"));
}

GenerationSample Sample(std::vector<double> gaps_s, std::vector<std::int32_t> tokens) {
  GenerationSample sample;
  sample.gaps_s = std::move(gaps_s);
  for (const std::int32_t token : tokens) sample.tokens.push_back(TokenId{token});
  sample.first_token_s = 0.5;
  sample.decode = {.wall_s = 2,
                   .cpu_s = 0.5,
                   .wait_s = 1,
                   .expert_uses = 10,
                   .expert_hits = 4,
                   .bytes_read = 600,
                   .metered_bytes = 400,
                   .metered_s = 0.5};
  return sample;
}

TEST(SummaryTest, MediansOfRunsAndPercentilesOfGaps) {
  const DecodeSummary summary = Summarise({Sample({0.1, 0.1}, {}), Sample({0.4}, {})});
  EXPECT_DOUBLE_EQ(summary.tokens_per_second, (10 + 2.5) / 2);
  EXPECT_DOUBLE_EQ(summary.gap_p50_s, 0.1);
  EXPECT_DOUBLE_EQ(summary.first_token_s, 0.5);
  EXPECT_DOUBLE_EQ(summary.hit_rate, 0.4);
  EXPECT_DOUBLE_EQ(summary.bytes_per_token, 400);
  EXPECT_DOUBLE_EQ(summary.wait_share, 0.5);
  EXPECT_DOUBLE_EQ(summary.wait_bytes_per_second, 800);
  EXPECT_DOUBLE_EQ(summary.cpu_s_per_token, 1.0 / 3);
}

TEST(SummaryTest, AlikeAsFarAsEachGot) {
  std::vector<Measured> measured(2);
  measured[0].samples = {Sample({}, {1, 2}), Sample({}, {1, 2, 3})};
  measured[1].samples = {Sample({}, {1, 2, 3, 4})};
  EXPECT_TRUE(AllAlike(measured));
  measured[1].samples.push_back(Sample({}, {1, 9}));
  EXPECT_FALSE(AllAlike(measured));
  measured[1].samples = {Sample({}, {7, 8})};
  EXPECT_FALSE(AllAlike(measured));
  measured[1].configuration.options.model_path = "another file";
  EXPECT_TRUE(AllAlike(measured)) << "only what one file wrote has to be alike";
}

}  // namespace
}  // namespace edgemoe::bench
