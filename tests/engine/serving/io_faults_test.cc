// SPDX-License-Identifier: Apache-2.0
//
// Storage that fails, and files that are not what they seem.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "engine/engine.h"
#include "engine/gguf/gguf_reader.h"
#include "engine/options.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

EngineOptions OptionsFor(const TestFile& file) {
  EngineOptions options;
  options.model_path = file.path();
  options.threads = 1;
  options.sessions_max = 2;
  return options;
}

GenerateRequest Long(const std::string& prompt) {
  GenerateRequest request = Greedy(prompt, 30);
  request.stop.ignore_end_of_generation = true;
  return request;
}

TEST(EngineFaults, AReadErrorEndsTheRequestWithDataLossAndTheNextOneWorks) {
  const TestFile file(TinyModelBytes({}));
  EngineOptions options = OptionsFor(file);
  const auto healthy = Engine::Open(options);
  ASSERT_TRUE(healthy);
  const std::vector<TokenId> expected = Submit(**healthy, Long("abc"))->Wait().tokens;

  for (const char* backend : {"auto", "pread"}) {
    options.io_backend = backend;
    options.io_faults = "eio:after=2";
    const auto engine = Engine::Open(options);
    ASSERT_TRUE(engine) << engine.error().message();
    const Answer failed = Submit(**engine, Long("abc"))->Wait();
    EXPECT_EQ(failed.reason(), FinishReason::kError);
    EXPECT_EQ(failed.status().code(), StatusCode::kDataLoss) << failed.status().ToString();
    const Answer next = Submit(**engine, Long("abc"))->Wait();
    EXPECT_EQ(next.reason(), FinishReason::kMaxTokens) << next.status().ToString();
    EXPECT_EQ(next.tokens, expected);
    const EngineStats stats = (*engine)->GetStats();
    EXPECT_EQ(stats.requests_failed, 1U);
    EXPECT_EQ(stats.requests_finished, 2U);
    EXPECT_EQ(stats.expert_read_errors, 1U);
    EXPECT_EQ(stats.state_blocks_used, 0U);
  }
}

TEST(EngineFaults, AnExpertThatCannotBeReadFailsOnlyWhoNeedsIt) {
  // Large enough that no read of one expert, rounded to blocks, covers another.
  const TestFile file(TinyModelBytes({.expert_width = 256}));
  EngineOptions options = OptionsFor(file);
  int failed = 0;
  int survived = 0;
  for (std::uint32_t expert = 0; expert < 8; ++expert) {
    options.io_faults = "eio:layer=1,expert=" + std::to_string(expert);
    const auto engine = Engine::Open(options);
    ASSERT_TRUE(engine);
    const Answer answer = Submit(**engine, Greedy("q", 1))->Wait();
    if (answer.reason() == FinishReason::kError) {
      EXPECT_EQ(answer.status().code(), StatusCode::kDataLoss);
      ++failed;
    } else {
      ++survived;
    }
  }
  // One row needs two of the eight.
  EXPECT_EQ(failed, 2);
  EXPECT_EQ(survived, 6);
}

TEST(EngineFaults, FaultsOfUnknownExpertsAreRefused) {
  const TestFile file(TinyModelBytes({}));
  EngineOptions options = OptionsFor(file);
  options.io_faults = "eio:layer=2,expert=0";
  const auto engine = Engine::Open(options);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(engine.error().message().find("layers below 2"), std::string::npos);
}

TEST(EngineFaults, WeightsThatAreNoNumbersEndRequestsWithInternal) {
  std::vector<std::byte> bytes = TinyModelBytes({});
  const Result<GgufFile> parsed = ParseGguf(bytes, bytes.size());
  ASSERT_TRUE(parsed);
  const GgufTensor* norm = parsed->FindTensor("output_norm.weight");
  ASSERT_NE(norm, nullptr);
  ASSERT_EQ(norm->type, TensorType::kF32);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::uint64_t at = 0; at < norm->bytes; at += sizeof(nan))
    std::memcpy(bytes.data() + norm->offset + at, &nan, sizeof(nan));
  const TestFile file(std::move(bytes));
  const auto engine = Engine::Open(OptionsFor(file));
  ASSERT_TRUE(engine) << engine.error().message();
  for (int i = 0; i < 2; ++i) {
    const Answer answer = Submit(**engine, Long("abc"))->Wait();
    EXPECT_EQ(answer.reason(), FinishReason::kError);
    EXPECT_EQ(answer.status().code(), StatusCode::kInternal);
  }
  auto listener = std::make_shared<Listener>();
  ASSERT_TRUE((*engine)->Score({.text = std::string("some text"), .top_logprob_count = 0},
                               Listener::SinkFor(listener)));
  EXPECT_EQ(listener->Wait().status().code(), StatusCode::kInternal);
  EXPECT_EQ((*engine)->GetStats().requests_failed, 3U);
}

TEST(EngineFaults, ATruncatedFileIsRefusedWithItsName) {
  const std::vector<std::byte> whole = TinyModelBytes({});
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{3}, std::size_t{100}, whole.size() / 2, whole.size() - 1}) {
    const TestFile file(
        std::vector<std::byte>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes)));
    const auto engine = Engine::Open(OptionsFor(file));
    ASSERT_FALSE(engine) << bytes;
    EXPECT_NE(engine.error().message().find(file.path()), std::string::npos)
        << engine.error().message();
  }
}

TEST(EngineFaults, FilesThatAreNotThereOrNoFiles) {
  EngineOptions options;
  options.model_path = ::testing::TempDir() + "/no_such_model.gguf";
  EXPECT_EQ(Engine::Open(options).error().code(), StatusCode::kNotFound);
  options.model_path = ::testing::TempDir();
  EXPECT_EQ(Engine::Open(options).error().code(), StatusCode::kInvalidArgument);
}

TEST(EngineFaults, AFileThatShrinksWhileItIsServedEndsRequestsOrRefusesThem) {
  const TestFile file(TinyModelBytes({}));
  const auto engine = Engine::Open(OptionsFor(file));
  ASSERT_TRUE(engine);
  std::filesystem::resize_file(file.path(), 4096);
  Status refused;
  const auto listener = Submit(**engine, Long("abc"), &refused);
  if (listener == nullptr) {  // it was seen before
    EXPECT_EQ(refused.code(), StatusCode::kUnavailable) << refused.ToString();
    return;
  }
  const Answer answer = listener->Wait();
  EXPECT_EQ(answer.reason(), FinishReason::kError);
  EXPECT_THAT(answer.status().code(),
              testing::AnyOf(StatusCode::kDataLoss, StatusCode::kUnavailable))
      << answer.status().ToString();
}

}  // namespace
}  // namespace edgemoe
