// SPDX-License-Identifier: Apache-2.0
//
// Models of every architecture behind the facades: planned, streamed, packed. Whether what they
// compute is right is for tests/golden/architectures_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/system/whole_file.h"
#include "engine/describe.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/pack.h"
#include "engine/plan.h"
#include "tests/engine/serving/listener.h"
#include "tests/golden/fixtures.h"
#include "tests/support/child_process.h"
#include "tests/support/models/random_model_file.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

class ArchitecturesServeTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteRandomModel(source_, FindFixture(GetParam())->model).ok());
  }

  static EngineOptions Options(const std::string& path) {
    EngineOptions options;
    options.model_path = path;
    options.threads = 1;
    options.context_tokens = 128;
    return options;
  }

  // Greedy tokens after two prompts, one after another.
  static std::vector<std::vector<TokenId>> Tokens(const EngineOptions& options) {
    const auto engine = Engine::Open(options);
    EXPECT_TRUE(engine) << engine.error().ToString();
    std::vector<std::vector<TokenId>> tokens;
    if (!engine) return tokens;
    for (const char* prompt : {"Once upon a time", "a longer story about a cat by the sea"}) {
      GenerateRequest request = Greedy(prompt, 40);
      request.stop.ignore_end_of_generation = true;
      const Answer answer = Submit(**engine, std::move(request))->Wait();
      EXPECT_TRUE(answer.status().ok()) << answer.status().ToString();
      tokens.push_back(answer.tokens);
    }
    return tokens;
  }

  // With every expert in memory, and with the fewest that work.
  static std::vector<std::vector<TokenId>> TokensAtEveryBudget(const std::string& path) {
    EngineOptions options = Options(path);
    const auto plan = PlanMemory(options);
    EXPECT_TRUE(plan) << plan.error().ToString();
    if (!plan) return {};
    EXPECT_LT(plan->budget_floor_bytes, plan->budget_resident_bytes);
    const auto resident = Tokens(options);
    options.memory_budget_bytes = plan->budget_floor_bytes;
    EXPECT_EQ(Tokens(options), resident) << path;
    return resident;
  }

  TempFolder folder_;
  std::string source_ = folder_ / "source.gguf";
  std::string pack_ = folder_ / "pack.gguf";
};

TEST_P(ArchitecturesServeTest, StreamedAndPackedItWritesTheSame) {
  const auto expected = TokensAtEveryBudget(source_);
  ASSERT_EQ(expected.size(), 2u);
  EXPECT_EQ(expected[0].size(), 40u);
  EXPECT_NE(expected[0], expected[1]);
  const auto report = WritePack({.source_path = source_, .output_path = pack_});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(TokensAtEveryBudget(pack_), expected);
  EXPECT_EQ(DescribeModel(pack_)->parameter_count, DescribeModel(source_)->parameter_count);
}

using ArchitecturesRetypeTest = ArchitecturesServeTest;

TEST_P(ArchitecturesRetypeTest, ItsTypesCanBeChosen) {
  const std::string text = folder_ / "text";
  std::string story;
  for (int i = 0; i < 40; ++i)
    story += "The cat went to house " + std::to_string(i * 7 % 40) + " by the sea. ";
  ASSERT_TRUE(WriteWholeFile(text, story).ok());
  // Below the source's, above what is left where only what stays as it is has many bits.
  const std::map<std::string, double> others = {{"deepseek2-sigmoid", 14}};
  const auto other = others.find(GetParam());
  const double bits = other == others.end() ? 7 : other->second;
  const LayerIndex first = FindFixture(GetParam())->model.config.expert_layers().front();
  const auto report = WritePack({.source_path = source_,
                                 .output_path = pack_,
                                 .method = PackMethod::kSensitivity,
                                 .target = {.bits = bits},
                                 .calibration_path = text});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_LE(report->bits, bits);
  EXPECT_GT(report->bits, 0.7 * bits);
  ASSERT_TRUE(report->quality);
  EXPECT_GT(report->quality->mean_kl, 0);
  EXPECT_LT(report->quality->mean_kl, 0.5);
  for (const char* role : {"gate", "up", "down"})
    EXPECT_TRUE(std::ranges::any_of(report->rows, [&](const TypeSummary& row) {
      return row.role == role && row.layer == first.value;
    })) << role;
  TokensAtEveryBudget(pack_);
}

// Models without experts: all of it in memory.
class DenseServeTest : public ArchitecturesServeTest {};

TEST_P(DenseServeTest, IsServedFromMemory) {
  EngineOptions options = Options(source_);
  const auto plan = PlanMemory(options);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_TRUE(plan->fits);
  EXPECT_EQ(plan->expert_total_bytes, 0u);
  EXPECT_EQ(plan->budget_floor_bytes, plan->budget_resident_bytes);
  const auto expected = Tokens(options);
  ASSERT_EQ(expected.size(), 2u);
  EXPECT_EQ(expected[0].size(), 40u);
  options.memory_budget_bytes = plan->budget_floor_bytes;
  for (const char* mode : {"edgemoe", "resident", "on-demand", "layer-stream", "mmap"}) {
    options.mode = mode;
    EXPECT_EQ(Tokens(options), expected) << mode;
  }
}

TEST_P(DenseServeTest, APackWritesTheSame) {
  const auto report = WritePack({.source_path = source_, .output_path = pack_});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(Tokens(Options(pack_)), Tokens(Options(source_)));
}

std::string FixtureName(const testing::TestParamInfo<std::string>& fixture) {
  std::string name = fixture.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ArchitecturesServeTest,
                         testing::Values("qwen3moe-yarn", "qwen3moe-yarn-IQ", "olmoe", "gpt-oss",
                                         "gpt-oss-MXFP4", "granitemoe-shared", "granitehybrid",
                                         "granitehybrid-rope", "lfm2moe", "qwen2moe", "llama-moe",
                                         "minicpm", "deepseek2-sigmoid", "deepseek2-Q8_0",
                                         "qwen35moe", "qwen3next", "qwen3next-grouped-Q8_0",
                                         "gemma4", "gemma4-wide-Q4_K"),
                         FixtureName);

// A sanitizer, under which each takes half a minute, sees the quickest.
std::vector<std::string> Retyped() {
  std::vector<std::string> fixtures = {"gpt-oss-MXFP4"};
  if (!kSanitized)
    fixtures.insert(fixtures.end(),
                    {"qwen3moe-yarn", "olmoe", "gpt-oss", "granitehybrid", "lfm2moe", "qwen2moe",
                     "deepseek2-sigmoid", "qwen35moe", "gemma4"});
  return fixtures;
}
INSTANTIATE_TEST_SUITE_P(Fixtures, ArchitecturesRetypeTest, testing::ValuesIn(Retyped()),
                         FixtureName);

INSTANTIATE_TEST_SUITE_P(Fixtures, DenseServeTest,
                         testing::Values("lfm2", "llama", "qwen3", "qwen35", "granite",
                                         "granitehybrid-dense", "gemma4-dense", "gemma3"),
                         FixtureName);

// Some files of OLMoE say the width of an expert under the name that its relatives use.
TEST(OlmoeFile, MaySayTheWidthOfAnExpertTwice) {
  TempFolder folder;
  const std::string path = folder / "olmoe.gguf";
  RandomModelOptions model = FindFixture("olmoe")->model;
  const std::uint32_t width = model.config.expert_width;
  for (const std::uint32_t said : {width, width + 32}) {
    model.changed_keys["olmoe.expert_feed_forward_length"] = GgufValue(said);
    ASSERT_TRUE(WriteRandomModel(path, model).ok());
    const auto description = DescribeModel(path);
    ASSERT_EQ(description.has_value(), said == width);
    if (!description) {
      EXPECT_THAT(description.error().message(), HasSubstr("olmoe.expert_feed_forward_length"));
    }
  }
}

}  // namespace
}  // namespace edgemoe
