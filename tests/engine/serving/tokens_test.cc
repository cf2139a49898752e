// SPDX-License-Identifier: Apache-2.0
//
// The same tokens whatever the budget, threads, storage, chunks and company.
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/engine.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

struct Case {
  std::string name;
  std::function<void(EngineOptions&, const MemoryPlan&)> change;
};

void ShareOfExperts(EngineOptions& options, const MemoryPlan& plan, std::uint64_t percent) {
  options.expert_budget_bytes =
      std::max(plan.expert_floor_bytes, plan.expert_total_bytes * percent / 100);
}

std::vector<Case> Cases() {
  return {
      {"experts 50 %", [](auto& o, const auto& plan) { ShareOfExperts(o, plan, 50); }},
      {"experts 25 %", [](auto& o, const auto& plan) { ShareOfExperts(o, plan, 25); }},
      {"the least budget",
       [](auto& o, const auto& plan) { o.memory_budget_bytes = plan.budget_floor_bytes; }},
      {"2 threads", [](auto& o, const auto&) { o.threads = 2; }},
      {"4 threads", [](auto& o, const auto&) { o.threads = 4; }},
      {"pread", [](auto& o, const auto&) { o.io_backend = "pread"; }},
      {"pread at the least",
       [](auto& o, const auto& plan) {
         o.io_backend = "pread";
         ShareOfExperts(o, plan, 0);
       }},
      {"short reads at the least",
       [](auto& o, const auto& plan) {
         o.io_faults = "short:every=3";
         ShareOfExperts(o, plan, 0);
       }},
      {"no look-ahead at the least",
       [](auto& o, const auto& plan) {
         o.predictor = "none";
         ShareOfExperts(o, plan, 0);
       }},
      {"paths and lru at the least",
       [](auto& o, const auto& plan) {
         o.predictor = "path";
         o.eviction_policy = "lru";
         ShareOfExperts(o, plan, 0);
       }},
      {"lfu, a quarter",
       [](auto& o, const auto& plan) {
         o.eviction_policy = "lfu";
         ShareOfExperts(o, plan, 25);
       }},
      {"the paper's eviction and paths, a quarter",
       [](auto& o, const auto& plan) {
         o.eviction_policy = "edgemoe";
         o.predictor = "path";
         ShareOfExperts(o, plan, 25);
       }},
      {"depth 1", [](auto& o, const auto&) { o.io_depth = 1; }},
      {"chunks of 1", [](auto& o, const auto&) { o.prefill_chunk_tokens = 1; }},
      {"chunks of 7", [](auto& o, const auto&) { o.prefill_chunk_tokens = 7; }},
  };
}

class EngineTokens {
 public:
  EngineTokens(std::string model_path, std::vector<std::string> prompts, std::uint32_t max_tokens)
      : prompts_(std::move(prompts)), max_tokens_(max_tokens) {
    base_.model_path = std::move(model_path);
    base_.threads = 1;
    base_.sessions_max = 4;
    base_.context_tokens = 192;
  }

  void ExpectSameEverywhere() {
    const std::vector<std::vector<TokenId>> expected = Alone(base_);
    for (const auto& tokens : expected) ASSERT_FALSE(tokens.empty());
    EXPECT_EQ(Together(base_), expected) << "together";
    for (const Case& one : Cases()) {
      EngineOptions options = base_;
      one.change(options, *PlanMemory(base_));
      EXPECT_EQ(Alone(options), expected) << one.name;
      EXPECT_EQ(Together(options), expected) << one.name << ", together";
    }
  }

 private:
  GenerateRequest Request(const std::string& prompt) const {
    GenerateRequest request = Greedy(prompt, max_tokens_);
    request.stop.ignore_end_of_generation = true;
    return request;
  }
  std::vector<std::vector<TokenId>> Alone(const EngineOptions& options) const {
    const auto engine = Engine::Open(options);
    EXPECT_TRUE(engine) << engine.error().message();
    std::vector<std::vector<TokenId>> all;
    for (const std::string& prompt : prompts_)
      all.push_back(Submit(**engine, Request(prompt))->Wait().tokens);
    return all;
  }
  std::vector<std::vector<TokenId>> Together(const EngineOptions& options) const {
    const auto engine = Engine::Open(options);
    EXPECT_TRUE(engine) << engine.error().message();
    std::vector<std::shared_ptr<Listener>> listeners;
    for (const std::string& prompt : prompts_)
      listeners.push_back(Submit(**engine, Request(prompt)));
    std::vector<std::vector<TokenId>> all;
    for (const auto& listener : listeners) all.push_back(listener->Wait().tokens);
    return all;
  }

  EngineOptions base_;
  std::vector<std::string> prompts_;
  std::uint32_t max_tokens_;
};

const std::vector<std::string> kPrompts = {
    "Once upon a time there was a small", "The capital of France", "a",
    "One two three four five six seven eight nine ten eleven twelve"};

TEST(EngineTokensTest, TinyModel) {
  const TempFolder folder;
  const std::string path = folder / "model.gguf";
  ASSERT_TRUE(WriteTinyModel(path, {.layer_count = 3, .expert_count = 16}).ok());
  EngineTokens(path, kPrompts, 40).ExpectSameEverywhere();
}

TEST(EngineTokensTest, TinyModelWithMixedTypes) {
  const TempFolder folder;
  const std::string path = folder / "model.gguf";
  ASSERT_TRUE(WriteTinyModel(path, {.width = 256,
                                    .expert_count = 8,
                                    .expert_width = 256,
                                    .dense_type = TensorType::kF16,
                                    .gate_type = TensorType::kQ4_K,
                                    .up_type = TensorType::kQ4_K,
                                    .down_type = TensorType::kQ6_K,
                                    .tied_output = false})
                  .ok());
  EngineTokens(path, kPrompts, 12).ExpectSameEverywhere();
}

TEST(EngineTokensTest, DemoModel) {
  const std::string path = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  EngineTokens(path, kPrompts, 16).ExpectSameEverywhere();
}

}  // namespace
}  // namespace edgemoe
