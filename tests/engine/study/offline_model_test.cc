// SPDX-License-Identifier: Apache-2.0
#include "engine/study/offline_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/engine/study/offline_models.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kContext = 96;

class OfflineModelTest : public testing::Test {
 protected:
  OfflineModelOptions Options() const {
    OfflineModelOptions options;
    options.path = file_.path();
    options.context_tokens = kContext;
    return options;
  }
  OfflineMemory Plan(const OfflineModelOptions& options) const {
    return *PlanOfflineMemory(*ReadModelHeader(options.path), options);
  }

  const TestFile file_{FloatModelBytes()};
  const std::vector<TokenId> tokens_ = RandomTokens(80);
};

TEST_F(OfflineModelTest, GivesTheBitsOfTheModelInMemory) {
  const std::vector<float> expected = LogitsInMemory(file_.bytes(), tokens_);
  for (const bool least : {true, false}) {
    for (const std::uint32_t rows_max : {7U, 64U, 512U}) {
      for (const std::size_t threads : {1U, 2U}) {
        OfflineModelOptions options = Options();
        options.rows_max = rows_max;
        options.threads = threads;
        if (least) options.memory_bytes = Plan(options).least_bytes;
        const auto model = OfflineModel::Open(options);
        ASSERT_TRUE(model) << model.error().ToString();
        EXPECT_EQ((*model)->memory().holds_all_experts, !least);
        if (least) {
          EXPECT_LE((*model)->memory().total_bytes(), options.memory_bytes);
        }
        for (int again = 0; again < 2; ++again)
          EXPECT_EQ(LogitsOf(**model, tokens_), expected)
              << "least " << least << ", rows " << rows_max << ", threads " << threads;
      }
    }
  }
}

TEST_F(OfflineModelTest, ReadsEachExpertOnceWhereAllFit) {
  const auto model = *OfflineModel::Open(Options());
  ASSERT_TRUE(LogitsOf(*model, tokens_));
  const std::uint64_t once = model->account().bytes_read;
  EXPECT_GT(once, 0U);
  ASSERT_TRUE(LogitsOf(*model, tokens_));
  EXPECT_EQ(model->account().bytes_read, once);
}

TEST_F(OfflineModelTest, ShowsOnlyWhatIsWanted) {
  const std::vector<float> all = LogitsInMemory(file_.bytes(), tokens_);
  const auto model = *OfflineModel::Open(Options());
  const std::vector<float> last(all.end() - 30 * std::ptrdiff_t{kTinyVocabularySize}, all.end());
  EXPECT_EQ(LogitsOf(*model, tokens_, 50), last);
  EXPECT_EQ(LogitsOf(*model, tokens_, 80), std::vector<float>());
}

TEST_F(OfflineModelTest, MemoryGoesToRowsUnlessFewerLeaveRoomForAll) {
  const OfflineMemory all = Plan(Options());
  EXPECT_EQ(all.rows_max, kContext);
  EXPECT_TRUE(all.holds_all_experts);
  OfflineModelOptions options = Options();
  options.memory_bytes = all.total_bytes() - 1;
  const OfflineMemory fewer_rows = Plan(options);
  EXPECT_EQ(fewer_rows.rows_max, kRowsWorthSlots);
  EXPECT_TRUE(fewer_rows.holds_all_experts);
  options.memory_bytes = fewer_rows.total_bytes() - 1;
  const OfflineMemory fewer_slots = Plan(options);
  EXPECT_EQ(fewer_slots.rows_max, kContext);
  EXPECT_FALSE(fewer_slots.holds_all_experts);
  EXPECT_EQ(fewer_slots.total_bytes(), options.memory_bytes);
  options.memory_bytes = all.least_bytes;
  const OfflineMemory least = Plan(options);
  EXPECT_LT(least.rows_max, kRowsWorthSlots);
  EXPECT_EQ(least.total_bytes(), all.least_bytes);
}

TEST_F(OfflineModelTest, TooLittleMemoryNamesTheLeast) {
  OfflineModelOptions options = Options();
  const std::uint64_t least = Plan(options).least_bytes;
  options.memory_bytes = least - 1;
  const auto model = OfflineModel::Open(options);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(model.error().message(), HasSubstr(std::to_string(least) + " bytes"));
}

TEST_F(OfflineModelTest, AnExpertThatCannotBeReadIsDataLoss) {
  OfflineModelOptions options = Options();
  options.memory_bytes = Plan(options).least_bytes;
  const auto model = *OfflineModel::Open(options);
  ASSERT_EQ(::truncate(file_.path().c_str(), static_cast<off_t>(file_.bytes().size() / 2)), 0);
  const auto logits = LogitsOf(*model, tokens_);
  ASSERT_FALSE(logits);
  EXPECT_EQ(logits.error().code(), StatusCode::kDataLoss);
  EXPECT_THAT(logits.error().message(), HasSubstr("expert"));
}

TEST_F(OfflineModelTest, IsCancelledBetweenLayers) {
  std::atomic<bool> cancelled = true;
  OfflineModelOptions options = Options();
  options.rows_max = 16;
  options.cancelled = &cancelled;
  const auto model = *OfflineModel::Open(options);
  EXPECT_EQ(LogitsOf(*model, tokens_).error().code(), StatusCode::kCancelled);
  cancelled = false;
  std::size_t shown = 0;
  const Status status = model->RunWindow(tokens_, 0, [&](std::size_t, std::span<const float>) {
    ++shown;
    cancelled = true;
  });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(shown, 16U) << "the step that runs is finished";
  cancelled = false;
  EXPECT_EQ(LogitsOf(*model, tokens_), LogitsInMemory(file_.bytes(), tokens_));
}

TEST_F(OfflineModelTest, RefusesWindowsThatItCannotRun) {
  const auto model = *OfflineModel::Open(Options());
  const auto code = [&](const std::vector<TokenId>& tokens) {
    return LogitsOf(*model, tokens).error().code();
  };
  EXPECT_EQ(code({}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(RandomTokens(kContext + 1)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({TokenId{-1}}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({TokenId{kTinyVocabularySize}}), StatusCode::kInvalidArgument);
}

TEST_F(OfflineModelTest, RefusesOptionsByName) {
  const auto complaint = [&](auto change) {
    OfflineModelOptions options = Options();
    change(options);
    const auto model = OfflineModel::Open(options);
    return model ? std::string() : model.error().ToString();
  };
  EXPECT_THAT(complaint([](auto& o) { o.threads = 0; }), HasSubstr("threads: found 0"));
  EXPECT_THAT(complaint([](auto& o) { o.rows_max = 0; }), HasSubstr("rows_max: found 0"));
  EXPECT_THAT(complaint([](auto& o) { o.context_tokens = 257; }),
              HasSubstr("context_tokens: found 257; accepted: [1, 256]"));
  EXPECT_THAT(complaint([](auto& o) { o.io_backend = "tape"; }), HasSubstr("tape"));
  EXPECT_THAT(complaint([](auto& o) { o.path = "/no/such.gguf"; }), HasSubstr("/no/such.gguf"));
}

}  // namespace
}  // namespace edgemoe
