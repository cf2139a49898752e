// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/memory_plan.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "engine/base/byte_size.h"
#include "engine/describe.h"
#include "engine/plan.h"
#include "engine/serving/describe_header.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

class EnginePlanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.model_path = folder_ / "engine_plan_test.gguf";
    ASSERT_TRUE(WriteTinyModel(options_.model_path, {}).ok());
    options_.sessions_max = 2;
    options_.threads = 1;
  }

  MemoryPlan Plan(std::uint64_t usable_bytes = 0) {
    const Result<ModelHeader> header = ReadModelHeader(options_.model_path);
    EXPECT_TRUE(header) << header.error().message();
    return MakePlan(*header, LimitsFor(*header, options_, usable_bytes), options_, usable_bytes);
  }

  const TempFolder folder_;
  EngineOptions options_;
};

TEST_F(EnginePlanTest, ByDefaultTakesWhatTheWholeModelNeeds) {
  const MemoryPlan plan = Plan(1 * kGiB);
  EXPECT_TRUE(plan.fits);
  EXPECT_EQ(plan.budget_bytes, plan.budget_resident_bytes);
  EXPECT_EQ(plan.expert_bytes, plan.expert_total_bytes);
  EXPECT_EQ(plan.budget_bytes,
            plan.dense_bytes + plan.state_bytes + plan.workspace_bytes + plan.expert_bytes);
  EXPECT_LT(plan.expert_floor_bytes, plan.expert_total_bytes);
}

TEST_F(EnginePlanTest, ByDefaultTakesAtMostThreeQuartersOfUsableMemory) {
  const std::uint64_t resident = Plan().budget_resident_bytes;
  const MemoryPlan plan = Plan(resident);
  EXPECT_EQ(plan.budget_bytes, resident / 4 * 3);
  EXPECT_LT(plan.expert_bytes, plan.expert_total_bytes);
}

TEST_F(EnginePlanTest, TheFloorFitsAndOneByteLessDoesNot) {
  options_.memory_budget_bytes = Plan().budget_floor_bytes;
  MemoryPlan plan = Plan(1 * kGiB);
  EXPECT_TRUE(plan.fits) << plan.explanation;
  EXPECT_EQ(plan.expert_bytes, plan.expert_floor_bytes);
  --options_.memory_budget_bytes;
  plan = Plan(1 * kGiB);
  EXPECT_FALSE(plan.fits);
  EXPECT_NE(plan.explanation.find(std::to_string(plan.budget_floor_bytes)), std::string::npos);
  EXPECT_NE(plan.explanation.find(std::to_string(plan.budget_bytes)), std::string::npos);
  options_.memory_budget_bytes = 1;
  EXPECT_FALSE(Plan().fits);
}

TEST_F(EnginePlanTest, TheExpertBudgetCapsTheSlab) {
  const MemoryPlan whole = Plan();
  options_.expert_budget_bytes = whole.expert_floor_bytes;
  EXPECT_TRUE(Plan().fits);
  EXPECT_EQ(Plan().expert_bytes, whole.expert_floor_bytes);
  --options_.expert_budget_bytes;
  EXPECT_FALSE(Plan().fits);
  EXPECT_NE(Plan().explanation.find(std::to_string(whole.expert_floor_bytes)), std::string::npos);
  options_.expert_budget_bytes = 100 * kGiB;  // never more than all experts
  EXPECT_EQ(Plan().expert_bytes, whole.expert_total_bytes);
}

TEST_F(EnginePlanTest, ABudgetThatTheMachineDoesNotHaveDoesNotFit) {
  const MemoryPlan whole = Plan();
  options_.memory_budget_bytes = whole.budget_resident_bytes;
  const MemoryPlan plan = Plan(whole.budget_resident_bytes - 1);
  EXPECT_FALSE(plan.fits);
  EXPECT_NE(plan.explanation.find("can be used here"), std::string::npos);
  // A budget beyond what the model can use does no harm.
  options_.memory_budget_bytes = 100 * kGiB;
  EXPECT_TRUE(Plan(whole.budget_resident_bytes).fits);
}

TEST_F(EnginePlanTest, TheContextIsAtMostTheModelsOwn) {
  const Result<ModelHeader> header = ReadModelHeader(options_.model_path);
  ASSERT_TRUE(header);
  options_.context_tokens = 1 << 20;
  EXPECT_EQ(LimitsFor(*header, options_, 0).steps.context_tokens, header->config.context_length);
  options_.context_tokens = 40;
  const RunLimits limits = LimitsFor(*header, options_, 0);
  EXPECT_EQ(limits.steps.context_tokens, 40U);
  // Whole blocks: a context, and a share of one for the second session.
  EXPECT_EQ(StateLimitsOf(limits).token_capacity, 64U + 32);
}

TEST_F(EnginePlanTest, ChunksOfPromptsGrowWhereExpertsAreRead) {
  const Result<ModelHeader> header = ReadModelHeader(options_.model_path);
  ASSERT_TRUE(header);
  const auto chunk = [&] {
    return LimitsFor(*header, options_, 1 * kGiB).steps.prefill_chunk_tokens;
  };
  EXPECT_EQ(chunk(), 64U) << "all is in memory";
  const MemoryPlan whole = Plan(1 * kGiB);
  options_.expert_budget_bytes = whole.expert_floor_bytes;
  EXPECT_EQ(chunk(), 512U) << "the workspace takes nothing from the experts";
  options_.expert_budget_bytes = 0;
  options_.memory_budget_bytes = whole.budget_floor_bytes;
  EXPECT_EQ(chunk(), 64U) << "nothing is left for a workspace";
  options_.memory_budget_bytes = 1;
  EXPECT_EQ(chunk(), 64U);
  options_.prefill_chunk_tokens = 7;
  EXPECT_EQ(chunk(), 7U);
  options_.prefill_chunk_tokens = 0;
  options_.memory_budget_bytes = 0;
  options_.mode = "on-demand";
  EXPECT_EQ(chunk(), 64U);
}

TEST_F(EnginePlanTest, PlanMemoryAndDescribeModelReadTheHeader) {
  const Result<MemoryPlan> plan = PlanMemory(options_);
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->model_file_bytes, std::filesystem::file_size(options_.model_path));
  const Result<ModelDescription> model = DescribeModel(options_.model_path);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->name, "engine_plan_test");
  EXPECT_EQ(model->architecture, "qwen3moe");
  EXPECT_EQ(model->quantisation, "Q8_0");
  EXPECT_EQ(model->vocabulary_size, kTinyVocabularySize);
  EXPECT_TRUE(model->has_chat_template);

  EXPECT_EQ(DescribeModel("no/such.gguf").error().code(), StatusCode::kNotFound);
  options_.io_depth = 1025;
  EXPECT_EQ(PlanMemory(options_).error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace edgemoe
