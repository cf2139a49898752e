// SPDX-License-Identifier: Apache-2.0
//
// An engine whose memory changes while it runs: sessions go on, tokens stay the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "engine/base/byte_size.h"
#include "engine/base/random.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/serving/memory_plan.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// What this process has in memory beside files; counted page by page, unlike statm.
std::uint64_t AnonymousBytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::uint64_t kibibytes = 0;
  for (std::string word; file >> word;)
    if (word == "Anonymous:") file >> kibibytes;
  return kibibytes * kKiB;
}

class EngineResizeTest : public testing::Test {
 protected:
  static std::string ModelPath() {
    return testing::TempDir() + "/engine_resize_" + std::to_string(::getpid()) + ".gguf";
  }
  static void SetUpTestSuite() {
    // 13 MiB of experts.
    ASSERT_TRUE(WriteTinyModel(ModelPath(), {.layer_count = 4,
                                             .width = 128,
                                             .expert_count = 32,
                                             .expert_used_count = 4,
                                             .expert_width = 256})
                    .ok());
  }
  static void TearDownTestSuite() { std::filesystem::remove(ModelPath()); }

  void SetUp() override {
    options_.model_path = ModelPath();
    options_.threads = 2;
    options_.sessions_max = 2;
    options_.context_tokens = 128;
    options_.clock = &clock_;
    options_.log = [this](LogLevel, std::string_view line) {
      const std::lock_guard lock(log_mutex_);
      log_ += std::string(line) + "\n";
      logged_.notify_all();
    };
  }
  void TearDown() override { engine_.reset(); }

  static constexpr std::chrono::milliseconds kNudgeInterval{100};
  static void DoNothing() {}

  Engine& Open() {
    engine_.reset();
    Result<std::unique_ptr<Engine>> opened = Engine::Open(options_);
    EXPECT_TRUE(opened) << opened.error().message();
    engine_ = *std::move(opened);
    return *engine_;
  }

  // The budget with so much of the way from the floor to all experts.
  std::uint64_t Budget(std::uint64_t percent) const {
    const MemoryPlan plan = engine_->GetStats().memory;
    return plan.budget_floor_bytes +
           (plan.budget_resident_bytes - plan.budget_floor_bytes) * percent / 100;
  }

  static GenerateRequest Request(const std::string& prompt) {
    GenerateRequest request = Greedy(prompt, 60);
    request.stop.ignore_end_of_generation = true;
    return request;
  }
  static std::vector<TokenId> Tokens(Engine& engine, const std::string& prompt) {
    return Submit(engine, Request(prompt))->Wait().tokens;
  }

  // Until a line of the log holds `text`; fails after kPatience. `nudge` is called again and again
  // meanwhile.
  void WaitForLog(std::string_view text, const std::function<void()>& nudge = DoNothing) {
    const auto logged = [&] { return log_.find(text) != std::string::npos; };
    bool found = false;
    for (auto left = kPatience / kNudgeInterval; left > 0 && !found; --left) {
      nudge();
      std::unique_lock lock(log_mutex_);
      found = logged_.wait_for(lock, kNudgeInterval, logged);
    }
    EXPECT_TRUE(found) << "never logged: " << text << "\n" << LogText();
  }
  std::string LogText() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  FakeClock clock_;
  std::mutex log_mutex_;  // a plain one: a condition variable waits on it
  std::condition_variable logged_;
  std::string log_;
};

TEST_F(EngineResizeTest, AStreamKeepsItsTokensThroughEveryResize) {
  for (const char* backend : {"auto", "pread"}) {
    options_.io_backend = backend;
    Engine& engine = Open();
    const std::vector<TokenId> expected = Tokens(engine, "Once upon a time");
    ASSERT_EQ(expected.size(), 60u);

    // After each fifth token the stream is held until the memory has another size.
    auto listener = std::make_shared<Listener>();
    std::atomic<int> held{0};
    int chunks = 0;
    listener->on_chunk = [&](RequestId) {
      if (++chunks % 5 != 0) return;
      listener->SetCanTake(false);
      ++held;
    };
    ASSERT_TRUE(engine.Generate(Request("Once upon a time"), Listener::SinkFor(listener)));
    const std::uint64_t percents[] = {25, 100, 0, 50, 10, 100};
    for (int i = 0; i < 6; ++i) {
      while (held <= i) std::this_thread::yield();
      const auto plan = engine.Resize(Budget(percents[i]));
      ASSERT_TRUE(plan) << plan.error().message();
      const EngineStats stats = engine.GetStats();
      EXPECT_EQ(stats.memory.budget_bytes, Budget(percents[i]));
      EXPECT_EQ(stats.memory.expert_bytes, plan->expert_bytes);
      EXPECT_LE(stats.expert_slab_bytes, plan->expert_bytes);
      EXPECT_LE(stats.expert_resident_bytes, stats.expert_slab_bytes);
      EXPECT_EQ(stats.sessions_running, 1u);
      listener->SetCanTake(true);
      engine.Wake();
    }
    for (int i = 6; i < 12; ++i) {
      while (held <= i) std::this_thread::yield();
      listener->SetCanTake(true);
      engine.Wake();
    }
    EXPECT_EQ(listener->Wait().tokens, expected) << backend;
    EXPECT_EQ(engine.GetStats().requests_failed, 0u);
  }
}

TEST_F(EngineResizeTest, ManyResizesBesideManyRequests) {
  Engine& engine = Open();
  const std::vector<TokenId> first = Tokens(engine, "Once upon a time");
  const std::vector<TokenId> second = Tokens(engine, "The answer is");
  std::atomic<bool> stop{false};
  std::vector<std::thread> resizers;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    resizers.emplace_back([&, seed] {
      Random random(seed);
      while (!stop) EXPECT_TRUE(engine.Resize(Budget(random.NextBelow(101))));
    });
  }
  for (int i = 0; i < 4; ++i) {
    const auto one = Submit(engine, Request("Once upon a time"));
    const auto other = Submit(engine, Request("The answer is"));
    EXPECT_EQ(one->Wait().tokens, first);
    EXPECT_EQ(other->Wait().tokens, second);
  }
  stop = true;
  for (std::thread& resizer : resizers) resizer.join();
}

TEST_F(EngineResizeTest, ShrinkingGivesMemoryBackToTheSystem) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer's shadow memory counts as resident, too";
  for (const char* backend : {"auto", "pread"}) {
    options_.io_backend = backend;
    Engine& engine = Open();
    for (const char* prompt : {"Once upon a time", "The answer is", "0123456789", "xyz, abc."})
      Tokens(engine, prompt);
    const std::uint64_t cached_before = engine.GetStats().expert_resident_bytes;
    const std::uint64_t held_before = AnonymousBytes();
    ASSERT_TRUE(engine.Resize(Budget(0)));
    const std::uint64_t cached_after = engine.GetStats().expert_resident_bytes;
    const std::uint64_t held_after = AnonymousBytes();
    ASSERT_GT(cached_before, cached_after + 8 * kMiB);
    // The heap and the stacks may grow meanwhile, also by a huge page each.
    EXPECT_LT(held_after + (cached_before - cached_after) / 2, held_before);
  }
}

TEST_F(EngineResizeTest, WhatDoesNotFitIsRefusedAndChangesNothing) {
  Engine& engine = Open();
  ASSERT_TRUE(engine.Resize(Budget(40)));
  Tokens(engine, "Once upon a time");
  const EngineStats before = engine.GetStats();
  for (const std::uint64_t budget : {before.memory.budget_floor_bytes - 1, std::uint64_t{1}}) {
    const auto refused = engine.Resize(budget);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), StatusCode::kResourceExhausted);
    EXPECT_THAT(refused.error().message(), HasSubstr("budget_bytes: found"));
    EXPECT_THAT(refused.error().message(), HasSubstr("least that works with these options is"));
    EXPECT_THAT(refused.error().message(),
                HasSubstr(std::to_string(before.memory.budget_floor_bytes)));
  }
  const EngineStats after = engine.GetStats();
  EXPECT_EQ(after.memory.budget_bytes, before.memory.budget_bytes);
  EXPECT_EQ(after.expert_slab_bytes, before.expert_slab_bytes);
  EXPECT_EQ(after.experts_resident, before.experts_resident);
}

TEST_F(EngineResizeTest, NothingAskedForIsTheDefault) {
  Engine& engine = Open();
  const std::uint64_t resident = engine.GetStats().memory.budget_resident_bytes;
  ASSERT_TRUE(engine.Resize(Budget(40)));
  const auto plan = engine.Resize(0);
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_EQ(plan->budget_bytes, resident);
  const auto huge = engine.Resize(std::uint64_t{1} << 60);
  ASSERT_FALSE(huge);
  EXPECT_THAT(huge.error().message(), HasSubstr("budget_bytes: found 1048576 TiB"));
  EXPECT_THAT(huge.error().message(), HasSubstr("can be used here"));
}

TEST_F(EngineResizeTest, MoreThanIsUsableIsRefused) {
  MemoryPlan plan;
  plan.dense_bytes = 100 * kMiB;
  plan.expert_total_bytes = 900 * kMiB;
  plan.expert_floor_bytes = 50 * kMiB;
  plan.budget_floor_bytes = 150 * kMiB;
  plan.budget_resident_bytes = 1000 * kMiB;
  const MemoryPlan refused = WithBudget(plan, options_, 600 * kMiB, 500 * kMiB);
  EXPECT_FALSE(refused.fits);
  EXPECT_THAT(refused.explanation, HasSubstr("only 500 MiB"));
  const MemoryPlan accepted = WithBudget(plan, options_, 400 * kMiB, 500 * kMiB);
  EXPECT_TRUE(accepted.fits);
  EXPECT_EQ(accepted.expert_bytes, 300 * kMiB);
  // More than the whole model needs is taken as that.
  EXPECT_EQ(WithBudget(plan, options_, 1400 * kMiB, 1500 * kMiB).expert_bytes, 900 * kMiB);
}

TEST_F(EngineResizeTest, ADrainedEngineCanStillBeResized) {
  Engine& engine = Open();
  EXPECT_TRUE(engine.Drain(0));
  EXPECT_TRUE(engine.Resize(Budget(50)));
}

TEST_F(EngineResizeTest, IdleShrinksAndTheNextRequestGrowsBack) {
  options_.idle_shrink_after_s = 3600;
  Engine& engine = Open();
  const std::uint64_t whole = engine.GetStats().expert_slab_bytes;
  const std::vector<TokenId> expected = Tokens(engine, "Once upon a time");
  const std::uint64_t floor = engine.GetStats().memory.expert_floor_bytes;
  EXPECT_GT(engine.GetStats().expert_slab_bytes, floor);
  // The engine may become idle only after the first of these hours has passed.
  WaitForLog("idle: experts shrink from", [&] {
    clock_.Advance(3601'000'000'000);
    engine.Wake();
  });
  EXPECT_LE(engine.GetStats().expert_slab_bytes, floor);
  EXPECT_LE(engine.GetStats().expert_resident_bytes, floor);
  EXPECT_EQ(engine.GetStats().memory.expert_bytes, whole);

  // A resize meanwhile takes effect with the next request.
  const auto plan = engine.Resize(Budget(50));
  ASSERT_TRUE(plan);
  EXPECT_LE(engine.GetStats().expert_slab_bytes, floor);
  auto listener = std::make_shared<Listener>();
  std::atomic<std::uint64_t> slab_bytes{0};
  listener->on_chunk = [&](RequestId) { slab_bytes = engine.GetStats().expert_slab_bytes; };
  ASSERT_TRUE(engine.Generate(Request("Once upon a time"), Listener::SinkFor(listener)));
  EXPECT_EQ(listener->Wait().tokens, expected);
  EXPECT_GT(slab_bytes, floor);
  EXPECT_LE(slab_bytes, plan->expert_bytes);
  EXPECT_THAT(LogText(), HasSubstr("idle: experts shrink from"));
  EXPECT_THAT(LogText(), HasSubstr("busy again"));
}

class WarmStartTest : public EngineResizeTest {
 protected:
  void SetUp() override {
    EngineResizeTest::SetUp();
    options_.state_directory = testing::TempDir() + "/warm_" + std::to_string(::getpid());
    std::filesystem::remove_all(options_.state_directory);
  }
  void TearDown() override {
    engine_.reset();
    std::filesystem::remove_all(options_.state_directory);
  }
  void WaitUntilWarm() { WaitForLog("experts are in memory"); }
  std::filesystem::path WarmFile() const {
    for (const auto& entry : std::filesystem::directory_iterator(options_.state_directory))
      if (entry.path().filename().string().starts_with("warm-")) return entry.path();
    return {};
  }
};

TEST_F(WarmStartTest, ExpertsOfTheLastRunAreReadWhileIdle) {
  options_.predictor = "none";  // which reads what nobody uses
  const std::vector<TokenId> expected = Tokens(Open(), "Once upon a time");
  const std::uint64_t resident = engine_->GetStats().experts_resident;
  ASSERT_GT(resident, 10u);
  Engine& again = Open();
  WaitUntilWarm();
  EXPECT_EQ(again.GetStats().experts_resident, resident);
  EXPECT_EQ(again.GetStats().expert_uses, 0u);
  const std::uint64_t bytes_before = again.GetStats().expert_bytes_read;
  EXPECT_EQ(Tokens(again, "Once upon a time"), expected);
  EXPECT_EQ(again.GetStats().expert_bytes_read, bytes_before);  // all was there
}

TEST_F(WarmStartTest, ARequestNeedNotWaitForIt) {
  const std::vector<TokenId> expected = Tokens(Open(), "Once upon a time");
  for (int i = 0; i < 5; ++i) {
    Engine& again = Open();
    EXPECT_EQ(Tokens(again, "Once upon a time"), expected);
    EXPECT_TRUE(again.Resize(Budget(static_cast<std::uint64_t>(20 * i))));
  }
}

TEST_F(WarmStartTest, ASmallerSlabTakesTheBest) {
  Tokens(Open(), "Once upon a time");
  options_.memory_budget_bytes = Budget(20);
  Engine& again = Open();
  WaitUntilWarm();
  const EngineStats stats = again.GetStats();
  EXPECT_GT(stats.experts_resident, 0u);
  EXPECT_LE(stats.expert_resident_bytes, stats.expert_slab_bytes);
  EXPECT_EQ(stats.expert_evictions, 0u);
}

TEST_F(WarmStartTest, WhatThePredictorLearntIsKept) {
  options_.predictor = "path";
  const std::vector<TokenId> expected = Tokens(Open(), "Once upon a time");
  engine_.reset();
  std::filesystem::path counts;
  for (const auto& entry : std::filesystem::directory_iterator(options_.state_directory))
    if (entry.path().filename().string().starts_with("path-")) counts = entry.path();
  ASSERT_FALSE(counts.empty());
  EXPECT_EQ(Tokens(Open(), "Once upon a time"), expected);
  EXPECT_EQ(LogText().find("no warm start"), std::string::npos) << LogText();
  engine_.reset();
  std::filesystem::resize_file(counts, 100);
  EXPECT_EQ(Tokens(Open(), "Once upon a time"), expected);
  EXPECT_THAT(LogText(), HasSubstr("no warm start: " + counts.string()));
}

TEST_F(WarmStartTest, ADamagedFileIsIgnored) {
  const std::vector<TokenId> expected = Tokens(Open(), "Once upon a time");
  engine_.reset();
  ASSERT_FALSE(WarmFile().empty());
  std::filesystem::resize_file(WarmFile(), std::filesystem::file_size(WarmFile()) - 1);
  Engine& again = Open();
  EXPECT_THAT(LogText(), HasSubstr("no warm start"));
  EXPECT_EQ(again.GetStats().experts_resident, 0u);
  EXPECT_EQ(Tokens(again, "Once upon a time"), expected);
}

}  // namespace
}  // namespace edgemoe
