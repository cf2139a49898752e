// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pull_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>

#include "engine/base/accepted.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// What a download tells.
class Listener final : public PullListener {
 public:
  void OnProgress(const PullProgress& progress) override {
    const MutexLock lock(mutex_);
    progress_ = progress;
    changed_.NotifyAll();
  }
  void OnEnded(const Result<PullReport>& report) override {
    const MutexLock lock(mutex_);
    report_ = report;
    changed_.NotifyAll();
  }
  PullProgress WaitForProgress() {
    const MutexLock lock(mutex_);
    while (!progress_) changed_.Wait(mutex_);
    return *progress_;
  }
  Result<PullReport> WaitForEnd() {
    const MutexLock lock(mutex_);
    while (!report_) changed_.Wait(mutex_);
    return *report_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::optional<PullProgress> progress_ GUARDED_BY(mutex_);
  std::optional<Result<PullReport>> report_ GUARDED_BY(mutex_);
};

// The test is the program at the other end.
class PullRunnerTest : public testing::Test {
 protected:
  PullRunnerTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
    theirs_ = UniqueFd(ends_[1]);
  }

  Status Join(const std::string& model) {
    return runner_.Join({.model = model, .directory = "/models"}, listener_);
  }
  // The request's line.
  std::string Read() {
    std::array<char, 4096> buffer = {};
    const ssize_t count = ::read(theirs_.get(), buffer.data(), buffer.size());
    return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }
  void Answer(const std::string& line) {
    EXPECT_EQ(::write(theirs_.get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }

  std::array<int, 2> ends_ = {};
  UniqueFd theirs_;
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  PullRunner runner_{[this]() -> Result<std::unique_ptr<DownloadConnection>> {
                       if (ends_[0] < 0) return Failure(UnavailableError("no program"));
                       return std::make_unique<DownloadConnection>(
                           UniqueFd(std::exchange(ends_[0], -1)), -1);
                     },
                     {}};
};

TEST_F(PullRunnerTest, AsksAndTells) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  EXPECT_EQ(DecodePullRequest(Read())->model, "hf.co/a/b");
  Answer(EncodePullAnswer(PullProgress{.done_bytes = 5}));
  EXPECT_EQ(listener_->WaitForProgress().done_bytes, 5u);
  Answer(EncodePullAnswer(PullReport{.paths = {"/models/b.gguf"}, .bytes = 9}));
  EXPECT_EQ(listener_->WaitForEnd()->paths.front(), "/models/b.gguf");
}

TEST_F(PullRunnerTest, OthersJoinTheSameDownloadAndStayWhenOneLeaves) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  Answer(EncodePullAnswer(PullProgress{.done_bytes = 5}));
  EXPECT_EQ(listener_->WaitForProgress().done_bytes, 5u);
  const auto second = std::make_shared<Listener>();
  ASSERT_TRUE(runner_.Join({.model = "hf.co/a/b", .directory = "/models"}, second).ok());
  EXPECT_EQ(second->WaitForProgress().done_bytes, 5u);
  listener_.reset();
  Answer(EncodePullAnswer(PullReport{.bytes = 9}));
  EXPECT_EQ(second->WaitForEnd()->bytes, 9u);
}

TEST_F(PullRunnerTest, OneAtATime) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  const Status status = Join("hf.co/a/c");
  EXPECT_EQ(status.reason(), Reason::kBusy);
  EXPECT_THAT(status.message(), HasSubstr("hf.co/a/b"));
}

TEST_F(PullRunnerTest, IsCancelled) {
  EXPECT_FALSE(runner_.Cancel());
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  EXPECT_TRUE(runner_.Cancel());
  EXPECT_EQ(listener_->WaitForEnd().error().code(), StatusCode::kCancelled);
}

TEST_F(PullRunnerTest, TellsErrors) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  const Status told = InvalidField("model", "\"x\"", "y");
  Answer(EncodePullAnswer(told));
  EXPECT_EQ(listener_->WaitForEnd().error(), told);
}

TEST_F(PullRunnerTest, TellsWhenTheProgramDies) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  (void)Read();
  theirs_.Reset();
  const Status status = listener_->WaitForEnd().error();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("the next pull goes on"));
  // The next one finds no program.
  listener_ = std::make_shared<Listener>();
  ASSERT_TRUE(Join("hf.co/a/c").ok());
  EXPECT_EQ(listener_->WaitForEnd().error().message(), "no program");
}

TEST_F(PullRunnerTest, TellsWhenTheProgramTalksNonsense) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  Answer("Segmentation fault\n");
  EXPECT_EQ(listener_->WaitForEnd().error().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace edgemoe
