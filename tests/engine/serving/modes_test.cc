// SPDX-License-Identifier: Apache-2.0
//
// The baselines: the same tokens, and as much memory and as many reads as each is said to need.
#include "engine/serving/modes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "engine/base/system/aligned_buffer.h"
#include "engine/engine.h"
#include "engine/io/pread_reader.h"
#include "engine/io/throttled_reader.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/probe.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/fake_clock.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kLayers = 3;
constexpr std::uint32_t kExperts = 16;

class EngineModesTest : public testing::Test {
 protected:
  EngineOptions Options(const std::string& mode) const {
    EngineOptions options;
    options.model_path = file_.path();
    options.threads = 1;
    options.sessions_max = 2;
    options.mode = mode;
    return options;
  }
  MemoryPlan Plan(const EngineOptions& options) const {
    const auto plan = PlanMemory(options);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? *plan : MemoryPlan();
  }
  static GenerateRequest Long(const std::string& prompt) {
    GenerateRequest request = Greedy(prompt, 40);
    request.stop.ignore_end_of_generation = true;
    return request;
  }
  // Greedy tokens of two prompts at once, and what they cost.
  static std::vector<std::vector<TokenId>> Run(Engine& engine) {
    const auto first = Submit(engine, Long("Once upon a time there was"));
    const auto second = Submit(engine, Long("The capital"));
    return {first->Wait().tokens, second->Wait().tokens};
  }

  const TestFile file_{TinyModelBytes({.layer_count = kLayers, .expert_count = kExperts})};
};

TEST_F(EngineModesTest, EveryModeGivesTheSameTokens) {
  std::vector<std::vector<TokenId>> expected;
  for (const char* mode : {"edgemoe", "resident", "on-demand", "layer-stream", "mmap"}) {
    const auto engine = Engine::Open(Options(mode));
    ASSERT_TRUE(engine) << mode << ": " << engine.error().message();
    const auto tokens = Run(**engine);
    ASSERT_EQ(tokens[0].size(), 40u) << mode;
    if (expected.empty()) expected = tokens;
    EXPECT_EQ(tokens, expected) << mode;
  }
}

TEST_F(EngineModesTest, EachModeReadsWhatItIsSaidToRead) {
  const auto cost = [&](const char* mode) {
    const auto engine = Engine::Open(Options(mode));
    EXPECT_TRUE(engine) << mode << ": " << engine.error().message();
    const EngineStats before = (*engine)->GetStats();
    // One after the other: what two at once use depends on the steps that they happen to share.
    Submit(**engine, Long("Once upon a time there was"))->Wait();
    Submit(**engine, Long("The capital"))->Wait();
    EngineStats stats = (*engine)->GetStats();
    stats.expert_uses -= before.expert_uses;
    stats.expert_hits -= before.expert_hits;
    stats.expert_bytes_read -= before.expert_bytes_read;
    return stats;
  };
  const EngineStats resident = cost("resident");
  EXPECT_EQ(resident.expert_bytes_read, 0u);
  EXPECT_EQ(resident.expert_hits, resident.expert_uses);
  EXPECT_EQ(resident.experts_resident, kLayers * kExperts);
  const EngineStats edgemoe = cost("edgemoe");
  const EngineStats on_demand = cost("on-demand");
  const EngineStats layer_stream = cost("layer-stream");
  EXPECT_EQ(on_demand.expert_hits, 0u);
  EXPECT_EQ(on_demand.expert_uses, resident.expert_uses);
  EXPECT_LT(edgemoe.expert_bytes_read, on_demand.expert_bytes_read);
  EXPECT_LT(on_demand.expert_bytes_read, layer_stream.expert_bytes_read);
}

TEST_F(EngineModesTest, PlansSayWhatEachModeNeeds) {
  const MemoryPlan edgemoe = Plan(Options("edgemoe"));
  const std::uint64_t fixed = edgemoe.budget_floor_bytes - edgemoe.expert_floor_bytes;
  const MemoryPlan resident = Plan(Options("resident"));
  EXPECT_EQ(resident.expert_floor_bytes, edgemoe.expert_total_bytes);
  EXPECT_EQ(resident.expert_bytes, edgemoe.expert_total_bytes);
  const MemoryPlan on_demand = Plan(Options("on-demand"));
  // One layer's share of a token's demand, or more where its experts are of several classes.
  EXPECT_GE(on_demand.expert_bytes * kLayers, edgemoe.expert_floor_bytes);
  EXPECT_LT(on_demand.expert_bytes, resident.expert_bytes);
  EXPECT_EQ(on_demand.expert_floor_bytes, on_demand.expert_bytes);
  const MemoryPlan layer_stream = Plan(Options("layer-stream"));
  // 64 x 64 weights of Q8_0 in each of three matrices; three tensors, each rounded outwards.
  constexpr std::uint64_t kLayerBytes = kExperts * 3 * 64 * 64 * 34 / 32;
  EXPECT_GE(layer_stream.expert_bytes, 2 * kLayerBytes);
  EXPECT_LE(layer_stream.expert_bytes, 2 * (kLayerBytes + 3 * 2 * kReadAlignment));
  const MemoryPlan mmap = Plan(Options("mmap"));
  EXPECT_EQ(mmap.expert_bytes, 0u);
  EXPECT_THAT(mmap.explanation, HasSubstr("outside this budget"));
  for (const MemoryPlan& plan : {edgemoe, resident, on_demand, layer_stream, mmap}) {
    EXPECT_TRUE(plan.fits) << plan.explanation;
    EXPECT_EQ(plan.budget_floor_bytes, fixed + plan.expert_floor_bytes);
    EXPECT_EQ(plan.expert_total_bytes, edgemoe.expert_total_bytes);
  }
}

TEST_F(EngineModesTest, TheLeastBudgetOfEachModeWorks) {
  for (const char* mode : {"edgemoe", "resident", "on-demand", "layer-stream", "mmap"}) {
    EngineOptions options = Options(mode);
    options.memory_budget_bytes = Plan(options).budget_floor_bytes;
    const auto engine = Engine::Open(options);
    ASSERT_TRUE(engine) << mode << ": " << engine.error().message();
    EXPECT_EQ(Submit(**engine, Long("abc"))->Wait().reason(), FinishReason::kMaxTokens) << mode;
    --options.memory_budget_bytes;
    EXPECT_FALSE(Engine::Open(options)) << mode;
  }
}

TEST_F(EngineModesTest, AReadErrorEndsOneRequestInEveryMode) {
  const TestFile file(TinyModelBytes({.layer_count = 4, .expert_width = 256}));
  for (const char* mode : {"edgemoe", "on-demand", "layer-stream"}) {
    EngineOptions options = Options(mode);
    options.model_path = file.path();
    options.io_faults = "eio:after=2";
    const auto engine = Engine::Open(options);
    ASSERT_TRUE(engine) << mode << ": " << engine.error().message();
    int failed = 0;
    for (int i = 0; i < 4; ++i) {
      const Answer answer = Submit(**engine, Long("abc"))->Wait();
      if (answer.reason() != FinishReason::kError) continue;
      EXPECT_EQ(answer.status().code(), StatusCode::kDataLoss) << answer.status().ToString();
      ++failed;
    }
    EXPECT_LE(failed, 1) << mode;
    EXPECT_EQ((*engine)->GetStats().expert_read_errors, 1u) << mode;
  }
  EngineOptions options = Options("resident");
  options.model_path = file.path();
  options.io_faults = "eio:after=2";
  const auto engine = Engine::Open(options);
  ASSERT_FALSE(engine) << "what cannot be read at load cannot be resident";
  EXPECT_EQ(engine.error().code(), StatusCode::kDataLoss);
}

TEST_F(EngineModesTest, WrongOptionsAreNamed) {
  const auto refused = [](const EngineOptions& options) {
    const auto plan = PlanMemory(options);
    EXPECT_FALSE(plan);
    return plan ? "" : plan.error().message();
  };
  EXPECT_THAT(refused(Options("fast")), HasSubstr("mode: found \"fast\"; accepted: \"edgemoe\""));
  EngineOptions options = Options("edgemoe");
  options.storage_profile = "tape";
  EXPECT_THAT(refused(options), HasSubstr("storage_profile: found \"tape\"; accepted: \"real\""));
  options = Options("mmap");
  options.storage_profile = "sata";
  EXPECT_THAT(refused(options), HasSubstr("accepted: \"real\" with mode \"mmap\""));
  for (const double scale : {0.0, -1.0, 1e9, std::nan("")}) {
    options = Options("edgemoe");
    options.storage_scale = scale;
    EXPECT_THAT(refused(options), HasSubstr("storage_scale: found")) << scale;
  }
}

// ---- Storage ----

TEST(StorageProfileTest, AReadTakesTheModelledTime) {
  const TestFile file(1u << 20, 3);
  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(file.path()));
  const SteadyClock clock;
  const StorageProfile sd = *ParseStorageProfile("sd", 0.5);
  EXPECT_EQ(sd.bytes_per_second, 45'000'000u);
  const auto reader =
      AddStorageProfile(*PreadReader::Open(files, {.depth = 4, .thread_count = 1}), sd, clock);
  EXPECT_EQ(reader->name(), "throttled");
  AlignedBuffer memory = *AlignedBuffer::Allocate(450'560);
  const std::uint64_t begin_ns = clock.NowNs();
  ASSERT_TRUE(
      reader->TrySubmit({.destination = memory.data(), .bytes = 450'560, .bytes_needed = 450'560}));
  std::array<ReadCompletion, 1> completion;
  ASSERT_EQ(reader->Wait(completion), 1u);
  // 45 MB/s and 667 us: no less than 10.67 ms, however fast the disk.
  EXPECT_GE(clock.NowNs() - begin_ns, 10'012'000u + 667'000u);
}

TEST(StorageProfileTest, RealStorageIsLeftAsItIs) {
  const TestFile file(1u << 16, 3);
  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(file.path()));
  const FakeClock clock;
  const auto reader =
      AddStorageProfile(*PreadReader::Open(files, {}), *ParseStorageProfile("real", 0.1), clock);
  EXPECT_EQ(reader->name(), "pread");
}

// ---- ProbeStorage ----

TEST(ProbeStorageTest, RemembersUntilAskedAnew) {
  const TestFile file(2u << 20, 3);
  std::string folder = testing::TempDir() + "/probe_storage_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const ProbeOptions options{
      .path = file.path(), .state_directory = folder + "/state", .io_backend = "pread"};
  const auto first = ProbeStorage(options);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_FALSE(first->kept);
  EXPECT_EQ(first->io_backend, "pread");
  EXPECT_EQ(first->in_flight_bytes_max, std::uint64_t{first->read_bytes} * first->depth);
  const auto second = ProbeStorage(options);
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->kept);
  EXPECT_EQ(second->bytes_per_second, first->bytes_per_second);
  EXPECT_EQ(second->depth, first->depth);
  ProbeOptions fresh = options;
  fresh.fresh = true;
  const auto third = ProbeStorage(fresh);
  ASSERT_TRUE(third);
  EXPECT_FALSE(third->kept);
  std::filesystem::remove_all(folder);
}

TEST(ProbeStorageTest, AFileThatIsNotThere) {
  const auto probe =
      ProbeStorage({.path = "/no/such/file", .state_directory = "", .io_backend = "auto"});
  ASSERT_FALSE(probe);
  EXPECT_EQ(probe.error().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgemoe
