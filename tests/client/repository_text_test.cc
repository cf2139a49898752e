// SPDX-License-Identifier: Apache-2.0
#include "client/cli/commands/repository_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgemoe::cli {
namespace {

v1::RepositoryModel Model(const std::string& quant, std::uint64_t bytes) {
  v1::RepositoryModel model;
  model.set_quant(quant);
  model.set_bytes(bytes);
  model.add_files()->set_name("m-" + quant + ".gguf");
  model.set_fits_storage(true);
  model.set_bits_per_weight(4.85);
  model.mutable_model()->set_architecture("qwen3moe");
  model.mutable_plan()->set_fits(true);
  model.mutable_plan()->set_budget_floor_bytes(2ULL << 30);
  model.set_expert_share(0.256);
  return model;
}

TEST(RepositoryTextTest, ColumnsStandBelowTheirNames) {
  const std::string headings = RepositoryHeadings();
  v1::RepositoryModel model = Model("UD-Q4_K_XL", 18ULL << 30);
  const std::string row = RepositoryRow(model);
  EXPECT_EQ(headings,
            "quant                 size  architecture   bits least memory in memory  tokens/s\n");
  EXPECT_EQ(row, "UD-Q4_K_XL       18.00 GiB  qwen3moe       4.85     2.00 GiB      26 %  -\n");
  model.mutable_expected_speed()->set_tokens_per_second(16.12);
  model.mutable_expected_speed()->set_low_tokens_per_second(14.9);
  model.mutable_expected_speed()->set_high_tokens_per_second(17.41);
  EXPECT_THAT(RepositoryRow(model), testing::EndsWith("  26 %  16.1 (14.9 to 17.4)\n"));
}

TEST(RepositoryTextTest, SaysWhatIsInTheWay) {
  v1::RepositoryModel model = Model("Q8_0", 1 << 30);
  model.set_fits_storage(false);
  EXPECT_THAT(RepositoryRow(model), testing::EndsWith(" no room on the disk\n"));
  model.mutable_plan()->set_fits(false);
  model.clear_expert_share();
  model.add_files();
  EXPECT_THAT(RepositoryRow(model),
              testing::EndsWith(
                  "  -                    wants more memory, no room on the disk, 2 parts\n"));
  model.clear_plan();
  model.mutable_model()->set_error("architecture \"x\" is unknown");
  model.mutable_model()->set_architecture("x");
  model.clear_quant();
  EXPECT_EQ(RepositoryRow(model),
            "m-Q8_0.gguf       1.00 GiB  x              cannot be used: architecture \"x\" is "
            "unknown\n");
}

TEST(RepositoryTextTest, TellsTheChoice) {
  v1::RepositoryRecommendation recommendation;
  recommendation.set_reason("None of them fits.");
  EXPECT_EQ(RecommendationText(recommendation), "recommended: none. None of them fits.\n");
  recommendation.set_pull_name("hf.co/a/b:Q4_0");
  recommendation.set_reason("The most bits.");
  EXPECT_EQ(RecommendationText(recommendation), "recommended: hf.co/a/b:Q4_0\nThe most bits.\n");
}

}  // namespace
}  // namespace edgemoe::cli
