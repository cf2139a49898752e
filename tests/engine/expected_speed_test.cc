// SPDX-License-Identifier: Apache-2.0
//
// The facade on a whole tiny model: what can be said of its speed, and when nothing can.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/engine.h"
#include "engine/load/model_header.h"
#include "engine/probe.h"
#include "engine/speed.h"
#include "engine/speed/speed_history.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

class ExpectedSpeedTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.model_path = folder_ / "model.gguf";
    ASSERT_TRUE(WriteTinyModel(options_.model_path, {.layer_count = 3, .expert_count = 16}).ok());
    options_.threads = 2;
    options_.state_directory = folder_ / "state";
    options_.io_backend = "pread";
  }

  MemoryPlan Plan() const {
    const auto plan = PlanMemory(options_);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? *plan : MemoryPlan();
  }
  // Room for half of the experts.
  void Stream() { options_.expert_budget_bytes = Plan().expert_total_bytes / 2; }

  Result<ExpectedSpeed> Expect(SpeedRequest request) const {
    return ExpectSpeed(options_, Plan(), request);
  }

  const TempFolder folder_;
  EngineOptions options_;
};

TEST_F(ExpectedSpeedTest, WhatFitsNeedsNoStorage) {
  const auto expected = Expect({});
  ASSERT_TRUE(expected) << expected.error().message();
  EXPECT_GT(expected->tokens_per_second, 0);
  EXPECT_EQ(expected->bound, SpeedBound::kCompute);
  EXPECT_EQ(expected->hit_rate, 1);
  EXPECT_EQ(expected->read_bytes_per_token, 0);
  EXPECT_EQ(expected->storage_bytes_per_second, 0);
  EXPECT_LE(expected->low, expected->tokens_per_second);
  EXPECT_GE(expected->high, expected->tokens_per_second);
  EXPECT_EQ(expected->earlier_count, 0u);
}

TEST_F(ExpectedSpeedTest, WhatIsReadNeedsStorageAndIsSlower) {
  const auto resident = Expect({});
  ASSERT_TRUE(resident) << resident.error().message();
  Stream();
  const auto unknown = Expect({});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(unknown.error().message(), HasSubstr("nothing is known of the storage"));
  const auto expected = Expect({.storage_path = options_.model_path});
  ASSERT_TRUE(expected) << expected.error().message();
  EXPECT_LT(expected->hit_rate, 1);
  EXPECT_GT(expected->read_bytes_per_token, 0);
  EXPECT_GT(expected->storage_bytes_per_second, 0);
  EXPECT_LT(expected->tokens_per_second, resident->tokens_per_second)
      << "by the same kept figures of computing";
}

TEST_F(ExpectedSpeedTest, WhatWasMeasuredIsKeptUntilAskedAnew) {
  Stream();
  const auto first = Expect({.storage_path = options_.model_path});
  const auto second = Expect({.storage_path = options_.model_path});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->tokens_per_second, second->tokens_per_second);
  const auto fresh = Expect({.storage_path = options_.model_path, .fresh = true});
  ASSERT_TRUE(fresh) << fresh.error().message();
  EXPECT_NE(fresh->storage_bytes_per_second, first->storage_bytes_per_second);
  // Of another quantisation only the types are measured that are not kept.
  options_.expert_budget_bytes = 0;
  ASSERT_TRUE(WriteTinyModel(options_.model_path, {.down_type = TensorType::kQ4_0}).ok());
  EXPECT_TRUE(Expect({}));
}

TEST_F(ExpectedSpeedTest, AFileOfItsHeaderAlone) {
  const std::uintmax_t bytes = std::filesystem::file_size(options_.model_path);
  const auto whole = Expect({});
  ASSERT_TRUE(whole);
  // Holes in the place of the weights.
  const std::string path = options_.model_path;
  const std::vector<std::byte> model = TinyModelBytes({.layer_count = 3, .expert_count = 16});
  const auto header = ReadModelHeader(model);
  ASSERT_TRUE(header);
  const std::size_t header_bytes = header->parts.front().header_bytes;
  ASSERT_EQ(std::filesystem::remove(path), true);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(model.data()),
             static_cast<std::streamsize>(header_bytes));
  std::filesystem::resize_file(path, bytes);
  const auto sparse = Expect({});
  ASSERT_TRUE(sparse) << sparse.error().message();
  EXPECT_EQ(sparse->tokens_per_second, whole->tokens_per_second);
}

TEST_F(ExpectedSpeedTest, WhereNothingCanBeSaid) {
  MemoryPlan plan = Plan();
  plan.fits = false;
  plan.explanation = "too small";
  const auto small = ExpectSpeed(options_, plan, {});
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(small.error().message(), HasSubstr("too small"));
  options_.mode = "on-demand";
  const auto mode = Expect({.storage_path = options_.model_path});
  ASSERT_FALSE(mode);
  EXPECT_EQ(mode.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(mode.error().message(), HasSubstr("\"on-demand\""));
  options_.mode = "edgemoe";
  Stream();
  const auto nowhere = Expect({.storage_path = "/no/such/file"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code(), StatusCode::kNotFound);
}

TEST_F(ExpectedSpeedTest, TheBarIsThatOfEarlierEstimates) {
  const SpeedHistory history(options_.state_directory);
  for (const double ratio : {0.5, 0.5, 0.5, 3.0, 3.0, 3.0})
    ASSERT_TRUE(history.Add({.expected = 1, .measured = ratio}).ok());
  const auto expected = Expect({});
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->earlier_count, 6u);
  EXPECT_DOUBLE_EQ(expected->low, 0.5 * expected->tokens_per_second);
  EXPECT_DOUBLE_EQ(expected->high, 3 * expected->tokens_per_second);
}

// A pair appears by itself, once, where somebody was told what to expect.
TEST_F(ExpectedSpeedTest, AnEngineHoldsItselfAgainstTheEstimate) {
  Stream();
  const auto expected = Expect({.storage_path = options_.model_path});
  ASSERT_TRUE(expected) << expected.error().message();
  const SpeedHistory history(options_.state_directory);
  const auto engine = Engine::Open(options_);
  ASSERT_TRUE(engine) << engine.error().message();
  const auto ask = [&] {
    GenerateRequest request = Greedy("abc", 100);
    request.stop.ignore_end_of_generation = true;
    const auto listener = Submit(**engine, std::move(request));
    ASSERT_NE(listener, nullptr);
    EXPECT_EQ(listener->Wait().reason(), FinishReason::kMaxTokens);
  };
  constexpr int kRequestsMax = 1000;  // a few, unless the next one always comes before the pause
  int requests = 0;
  for (; requests < kRequestsMax && history.Read().empty(); ++requests) {
    ask();
    (*engine)->Wake();
    std::this_thread::yield();
  }
  ASSERT_LT(requests, kRequestsMax);
  ask();
  ask();
  const std::vector<SpeedPair> pairs = history.Read();
  ASSERT_EQ(pairs.size(), 1u);
  EXPECT_DOUBLE_EQ(pairs.front().expected, expected->tokens_per_second);
  EXPECT_GT(pairs.front().measured, 0);
}

// ---- The storage of a folder ----

TEST_F(ExpectedSpeedTest, AFolderStandsForItsLargestFile) {
  const TempFolder models;
  ProbeOptions options{.path = models / "", .state_directory = "", .io_backend = "pread"};
  const auto empty = ProbeStorage(options);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(empty.error().message(), HasSubstr("the folder has no file"));

  const TestFile file(std::size_t{1} << 20, 3);
  std::filesystem::copy_file(file.path(), models / "real.gguf");
  const std::string holes = models / "holes.gguf";
  std::ofstream(holes) << "GGUF";
  std::filesystem::resize_file(holes, std::uintmax_t{1} << 30);
  EXPECT_TRUE(ProbeStorage(options));
  options.path = holes;
  EXPECT_TRUE(ProbeStorage(options)) << "the file beside it is measured";
  std::filesystem::remove(models / "real.gguf");
  const auto alone = ProbeStorage(options);
  ASSERT_FALSE(alone);
  EXPECT_THAT(alone.error().message(), HasSubstr("has its bytes on the disk"));
}

TEST_F(ExpectedSpeedTest, AKeptProbeOfTheFolderIsEnough) {
  ProbeOptions options{.path = options_.model_path,
                       .state_directory = options_.state_directory,
                       .kept_only = true,
                       .io_backend = "pread"};
  EXPECT_EQ(ProbeStorage(options).error().code(), StatusCode::kNotFound);
  options.kept_only = false;
  ASSERT_TRUE(ProbeStorage(options));
  options.kept_only = true;
  options.path = folder_ / "";
  const auto kept = ProbeStorage(options);
  ASSERT_TRUE(kept) << kept.error().message();
  EXPECT_TRUE(kept->kept);
}

}  // namespace
}  // namespace edgemoe
