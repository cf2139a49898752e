// SPDX-License-Identifier: Apache-2.0
//
// Files that are touched, copied anew, replaced or damaged under an engine that has them loaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "engine/engine.h"
#include "engine/load/model_header.h"
#include "engine/options.h"
#include "engine/pack.h"
#include "engine/plan.h"
#include "engine/serving/idle_work.h"
#include "engine/serving/storage_guard.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/changed_file.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

class ChangedFilesTest : public testing::Test {
 protected:
  ChangedFilesTest() {
    EXPECT_TRUE(WriteTinyModel(source_, {}).ok());
    path_ = source_;
  }

  void Pack() {
    path_ = folder_ / "pack.gguf";
    const auto report = WritePack({.source_path = source_, .output_path = path_});
    ASSERT_TRUE(report) << report.error().ToString();
  }

  // With so little memory that experts are read again and again.
  void Open(const std::string& io_faults = "") {
    engine_.reset();
    {
      const MutexLock lock(mutex_);
      log_.clear();
    }
    EngineOptions options;
    options.model_path = path_;
    options.threads = 1;
    options.context_tokens = 128;
    options.io_faults = io_faults;
    options.clock = &clock_;
    options.expert_budget_bytes = PlanMemory(options)->expert_floor_bytes;
    options.log = [this](LogLevel, std::string_view line) {
      const MutexLock lock(mutex_);
      log_ += std::string(line) + "\n";
    };
    options.on_availability = [this] { ++availability_changes_; };
    auto engine = Engine::Open(options);
    ASSERT_TRUE(engine) << engine.error().ToString();
    engine_ = *std::move(engine);
  }

  std::string log() {
    const MutexLock lock(mutex_);
    return log_;
  }

  // Lets the engine's time pass until `condition`.
  template <class Condition>
  void PassTimeUntil(Condition&& condition) {
    while (!condition()) {
      clock_.Advance(EngineIdle::kLearnAfterNs);
      engine_->Wake();
      std::this_thread::yield();
    }
  }
  void PassTimeUntilLearnt() {
    PassTimeUntil([this] { return log().find("every expert has been read once") != log().npos; });
  }
  void PassTimeUntilAvailable() {
    PassTimeUntil([this] { return engine_->availability().ok(); });
  }

  Answer Ask(const std::string& prompt = "abc") {
    Status refused;
    const auto listener = Submit(*engine_, Greedy(prompt, 12), &refused);
    if (listener != nullptr) return listener->Wait();
    Answer answer;
    answer.finished.emplace_back();
    answer.finished[0].reason = FinishReason::kError;
    answer.finished[0].status = refused;
    return answer;
  }

  // What is right, from now on.
  void AskTheFirstTime() {
    const Answer answer = Ask();
    EXPECT_EQ(answer.reason(), FinishReason::kMaxTokens) << answer.status().ToString();
    expected_ = answer.tokens;
  }

  // While a file is written in place, the model may be unavailable; the engine may have seen the
  // file without its bytes and say so only when they are there again.
  void ExpectTheSame() {
    Answer answer;
    do {
      PassTimeUntilAvailable();
      answer = Ask();
    } while (answer.status().code() == StatusCode::kUnavailable);
    EXPECT_EQ(answer.tokens, expected_) << answer.status().ToString();
    EXPECT_EQ(answer.reason(), FinishReason::kMaxTokens);
    PassTimeUntilAvailable();
  }

  // Until the model is unavailable and says why, requests fail or are answered right.
  void ExpectUnavailable(const std::string& words) {
    PassTimeUntil([&] {
      if (engine_->availability().message().find(words) != std::string::npos) return true;
      const Answer answer = Ask();
      if (answer.reason() == FinishReason::kError) {
        EXPECT_THAT(answer.status().code(),
                    testing::AnyOf(StatusCode::kDataLoss, StatusCode::kUnavailable));
      } else {
        EXPECT_EQ(answer.tokens, expected_);
      }
      return false;
    });
    // The engine may try again meanwhile, and then names what that try found.
    const Status before = engine_->availability();
    const Status status = Ask().status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_TRUE(status == before || status == engine_->availability()) << status.ToString();
    EXPECT_THAT(log(), HasSubstr(status.message()));
    while (availability_changes_ == 0) std::this_thread::yield();  // told after it is so
  }

  const TempFolder folder_;
  const std::string source_ = folder_ / "tiny.gguf";
  std::string path_;
  FakeClock clock_;
  Mutex mutex_;
  std::string log_ GUARDED_BY(mutex_);
  std::atomic<int> availability_changes_ = 0;
  std::vector<TokenId> expected_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ChangedFilesTest, TheSameBytesAreServedOn) {
  const std::string bytes = ReadAll(path_);
  Open();
  AskTheFirstTime();
  PassTimeUntilLearnt();
  Touch(path_);
  ExpectTheSame();
  EXPECT_THAT(log(), HasSubstr("they are opened again"));
  RewriteFile(path_, bytes, Rewrite::kByRename);
  ExpectTheSame();
  EXPECT_EQ(availability_changes_, 0);
  RewriteFile(path_, bytes, Rewrite::kInPlace);
  ExpectTheSame();
  ChangeVisibly(path_, [&] {
    std::filesystem::rename(path_, path_ + ".away");
    std::filesystem::rename(path_ + ".away", path_);
  });
  ExpectTheSame();
}

TEST_F(ChangedFilesTest, OtherWeightsUnderTheOldTimeAreNotAnswered) {
  const std::string bytes = ReadAll(path_);
  ASSERT_TRUE(WriteTinyModel(folder_ / "other.gguf", {.seed = 2}).ok());
  const std::string other = ReadAll(folder_ / "other.gguf");
  ASSERT_EQ(other.size(), bytes.size());
  for (const Rewrite how : {Rewrite::kInPlace, Rewrite::kByRename}) {
    Open();
    AskTheFirstTime();
    PassTimeUntilLearnt();
    const struct stat before = StatOf(path_);
    RewriteFile(path_, other, how);
    SetModified(path_, before.st_mtim);
    ExpectUnavailable("its bytes are damaged");
    // Not by itself.
    PassTimeUntil([this, end = clock_.NowNs() + StorageGuard::kRetryLastNs] {
      return clock_.NowNs() >= end;
    });
    EXPECT_FALSE(engine_->availability().ok());
    RewriteFile(path_, bytes, how);
    ExpectTheSame();
    while (availability_changes_ < 2) std::this_thread::yield();
    availability_changes_ = 0;
  }
}

TEST_F(ChangedFilesTest, AnotherModelOrNoneIsUnavailable) {
  const std::string bytes = ReadAll(path_);
  Open();
  AskTheFirstTime();
  PassTimeUntilLearnt();
  std::filesystem::rename(path_, path_ + ".away");
  ExpectUnavailable(path_);
  std::filesystem::rename(path_ + ".away", path_);
  PassTimeUntilAvailable();
  ASSERT_TRUE(WriteTinyModel(path_, {.chat_template = false}).ok());
  ExpectUnavailable(path_ + ": has ");
  RewriteFile(path_, bytes, Rewrite::kInPlace);
  ExpectTheSame();
}

TEST_F(ChangedFilesTest, RetriesHaveAnEnd) {
  Open();
  AskTheFirstTime();
  PassTimeUntilLearnt();
  std::filesystem::rename(path_, path_ + ".away");
  ExpectUnavailable(path_);
  PassTimeUntil([this] { return log().find("given up after") != log().npos; });
  EXPECT_THAT(log(), HasSubstr("given up after " + std::to_string(StorageGuard::kTriesMax)));
  EXPECT_FALSE(engine_->availability().ok());
}

TEST_F(ChangedFilesTest, WhatWasNeverReadIsNotTrustedAgain) {
  Open();
  Touch(path_);
  ExpectUnavailable("start the daemon anew");
  EXPECT_THAT(engine_->availability().message(), HasSubstr("16 experts had not been read"));
  PassTimeUntil([this, end = clock_.NowNs() + 2 * StorageGuard::kRetryLastNs] {
    return clock_.NowNs() >= end;
  });
  EXPECT_FALSE(engine_->availability().ok());
}

TEST_F(ChangedFilesTest, PacksNeedNotBeReadBefore) {
  Pack();
  Open();
  Touch(path_);
  AskTheFirstTime();
  RewriteFile(path_, ReadAll(path_), Rewrite::kByRename);
  ExpectTheSame();
}

TEST_F(ChangedFilesTest, BytesOfAPackThatFlipAfterTheFirstReadAreSeen) {
  Pack();
  Open();
  AskTheFirstTime();
  const auto header = ReadModelHeader(path_);
  ASSERT_TRUE(header);
  const std::string bytes = ReadAll(path_);
  for (const ExpertExtents& expert : header->layout.experts.extents)
    WriteByte(path_, expert[0].offset, static_cast<char>(bytes[expert[0].offset] ^ 1));
  ExpectUnavailable("its bytes are damaged");
  for (const ExpertExtents& expert : header->layout.experts.extents)
    WriteByte(path_, expert[0].offset, bytes[expert[0].offset]);
  ExpectTheSame();
}

TEST_F(ChangedFilesTest, StorageThatFailsForLongIsUnavailableUntilItReads) {
  Open();
  AskTheFirstTime();
  for (const char* fault : {"eio:after=0,count=60", "busy:after=0,count=60"}) {
    Open(fault);
    availability_changes_ = 0;
    ExpectUnavailable("expert ");
    PassTimeUntilAvailable();
    while (availability_changes_ < 2) std::this_thread::yield();
    // The remaining experts may have faults left to them.
    while (Ask().reason() == FinishReason::kError) PassTimeUntilAvailable();
    ExpectTheSame();
  }
}

}  // namespace
}  // namespace edgemoe
