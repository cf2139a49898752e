// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/pull_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>

#include "engine/base/accepted.h"
#include "tests/server/fake_engine.h"
#include "tests/support/child_process.h"
#include "tests/support/fake_clock.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// What a pull tells.
class Listener final : public PullListener {
 public:
  void OnProgress(const PullProgress& progress) override {
    Note([&] { progress_ = progress; });
  }
  void OnArrived(const PullReport& report) override {
    Note([&] { report_ = report; });
  }
  void OnPackProgress(const PackStep& step) override {
    Note([&] { step_ = step; });
  }
  void OnPacked(const PackReport& report) override {
    Note([&] { pack_path_ = "new " + report.output_path; });
  }
  void OnPackFound(const std::string& path) override {
    Note([&] { pack_path_ = "old " + path; });
  }
  void OnEnded(const Status& status) override {
    Note([&] { end_ = status; });
  }

  PullProgress WaitForProgress() { return WaitFor(progress_); }
  PackStep WaitForPack() { return WaitFor(step_); }
  Status WaitForEnd() { return WaitFor(end_); }
  // What was told before the end.
  std::optional<PullReport> report() {
    const MutexLock lock(mutex_);
    return report_;
  }
  std::string pack_path() {
    const MutexLock lock(mutex_);
    return pack_path_;
  }

 private:
  template <class Change>
  void Note(Change change) {
    const MutexLock lock(mutex_);
    change();
    changed_.NotifyAll();
  }
  template <class T>
  T WaitFor(const std::optional<T>& value) {
    const MutexLock lock(mutex_);
    while (!value) changed_.Wait(mutex_);
    return *value;
  }

  Mutex mutex_;
  CondVar changed_;
  std::optional<PullProgress> progress_;
  std::optional<PullReport> report_;
  std::optional<PackStep> step_;
  std::string pack_path_;
  std::optional<Status> end_;
};

// The test is the program at the other end.
class PullRunnerTest : public testing::Test {
 protected:
  PullRunnerTest() {
    slot_.Publish(engine_);
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
    theirs_ = UniqueFd(ends_[1]);
  }

  ~PullRunnerTest() override {
    runner_.Stop();
    slot_.Withdraw();
  }

  Status Join(const std::string& model, PackOnArrival pack = {}) {
    return runner_.Join({.model = model, .directory = "/models"}, std::move(pack), listener_);
  }
  // A copy; the pack job of fake_pack.cc.
  PackOnArrival Copy() {
    return [this](const std::string& source_path) -> Result<PackOptions> {
      PackOptions options;
      options.source_path = source_path;
      options.output_path = folder_ / "pack.gguf";
      return options;
    };
  }
  void Arrive(const std::string& path) {
    Answer(EncodePullAnswer(PullReport{.paths = {path}, .bytes = 9}));
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
  TempFolder folder_;
  FakeClock clock_;
  FakeEngine engine_{{}};
  EngineSlot slot_;
  SharedBudget budget_{slot_, 10'000, {}};
  PackRunner packs_{budget_, clock_, {}};
  std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  PullRunner runner_{[this]() -> Result<std::unique_ptr<DownloadConnection>> {
                       if (ends_[0] < 0) return Failure(UnavailableError("no program"));
                       return std::make_unique<DownloadConnection>(
                           UniqueFd(std::exchange(ends_[0], -1)), -1);
                     },
                     packs_,
                     {}};
};

TEST_F(PullRunnerTest, AsksAndTells) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  EXPECT_EQ(DecodePullRequest(Read())->model, "hf.co/a/b");
  Answer(EncodePullAnswer(PullProgress{.done_bytes = 5}));
  EXPECT_EQ(listener_->WaitForProgress().done_bytes, 5u);
  Arrive("/models/b.gguf");
  EXPECT_TRUE(listener_->WaitForEnd().ok());
  EXPECT_EQ(listener_->report()->paths.front(), "/models/b.gguf");
  EXPECT_EQ(listener_->pack_path(), "");
}

TEST_F(PullRunnerTest, OthersJoinTheSameDownloadAndStayWhenOneLeaves) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  Answer(EncodePullAnswer(PullProgress{.done_bytes = 5}));
  EXPECT_EQ(listener_->WaitForProgress().done_bytes, 5u);
  const auto second = std::make_shared<Listener>();
  ASSERT_TRUE(runner_.Join({.model = "hf.co/a/b", .directory = "/models"}, {}, second).ok());
  EXPECT_EQ(second->WaitForProgress().done_bytes, 5u);
  listener_.reset();
  Arrive("/models/b.gguf");
  EXPECT_TRUE(second->WaitForEnd().ok());
  EXPECT_EQ(second->report()->bytes, 9u);
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
  EXPECT_EQ(listener_->WaitForEnd().code(), StatusCode::kCancelled);
}

TEST_F(PullRunnerTest, TellsErrors) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  const Status told = InvalidField("model", "\"x\"", "y");
  Answer(EncodePullAnswer(told));
  EXPECT_EQ(listener_->WaitForEnd(), told);
}

TEST_F(PullRunnerTest, TellsWhenTheProgramDies) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  (void)Read();
  theirs_.Reset();
  const Status status = listener_->WaitForEnd();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("the next pull goes on"));
  // The next one finds no program.
  listener_ = std::make_shared<Listener>();
  ASSERT_TRUE(Join("hf.co/a/c").ok());
  EXPECT_EQ(listener_->WaitForEnd().message(), "no program");
}

TEST_F(PullRunnerTest, TellsWhenTheProgramTalksNonsense) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  Answer("Segmentation fault\n");
  EXPECT_EQ(listener_->WaitForEnd().code(), StatusCode::kInternal);
}

TEST_F(PullRunnerTest, PacksWhatHasArrived) {
  ASSERT_TRUE(Join("hf.co/a/b", Copy()).ok());
  Arrive("/models/b.gguf");
  EXPECT_TRUE(listener_->WaitForEnd().ok());
  EXPECT_EQ(listener_->report()->paths.front(), "/models/b.gguf");
  EXPECT_EQ(listener_->pack_path(), "new " + folder_ / "pack.gguf");
}

TEST_F(PullRunnerTest, LeavesAPackThatIsThere) {
  std::ofstream(folder_ / "pack.gguf") << "x";
  ASSERT_TRUE(Join("hf.co/a/b", Copy()).ok());
  Arrive("/models/b.gguf");
  EXPECT_TRUE(listener_->WaitForEnd().ok());
  EXPECT_EQ(listener_->pack_path(), "old " + folder_ / "pack.gguf");
}

TEST_F(PullRunnerTest, PacksWhenNobodyListensAndTellsWhoComesLater) {
  ASSERT_TRUE(Join("hf.co/a/b", Copy()).ok());
  listener_.reset();
  Arrive("/models/hang.gguf");
  EXPECT_TRUE(WaitUntil([&] { return packs_.running().has_value(); }));
  listener_ = std::make_shared<Listener>();
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  EXPECT_EQ(listener_->WaitForPack().progress.total, 100u);
  EXPECT_TRUE(listener_->report().has_value());
  EXPECT_TRUE(runner_.Cancel());
  const Status end = listener_->WaitForEnd();
  EXPECT_EQ(end.code(), StatusCode::kCancelled);
  EXPECT_THAT(end.message(), HasSubstr("/models/hang.gguf is there"));
  EXPECT_THAT(end.message(), HasSubstr("edgemoe pack"));
  EXPECT_FALSE(runner_.Cancel());
}

TEST_F(PullRunnerTest, DownloadsTheNextOneWhileAPackIsWritten) {
  ASSERT_TRUE(Join("hf.co/a/b", Copy()).ok());
  Arrive("/models/hang.gguf");
  (void)listener_->WaitForPack();
  // The second one's program is there no more.
  const auto second = std::make_shared<Listener>();
  ASSERT_TRUE(runner_.Join({.model = "hf.co/a/c", .directory = "/models"}, {}, second).ok());
  EXPECT_EQ(second->WaitForEnd().message(), "no program");
  runner_.Stop();
  EXPECT_EQ(listener_->WaitForEnd().code(), StatusCode::kCancelled);
  EXPECT_EQ(Join("hf.co/a/b").reason(), Reason::kStopping);
}

TEST_F(PullRunnerTest, SaysWhyThereIsNoPackAfterTheReport) {
  const auto refuse = [](const std::string&) -> Result<PackOptions> {
    return Failure(FailedPreconditionError("pack: no"));
  };
  ASSERT_TRUE(Join("hf.co/a/b", refuse).ok());
  Arrive("/models/b.gguf");
  EXPECT_THAT(listener_->WaitForEnd().message(), HasSubstr("pack: no"));
  EXPECT_TRUE(listener_->report().has_value());
}

TEST_F(PullRunnerTest, SaysThatAnotherPackRuns) {
  struct Other final : PackListener {
    void OnProgress(const PackStep&) override {}
    void OnEnded(Result<PackReport>) override {}
    const std::atomic<bool>& cancelled() const override { return flag; }
    std::atomic<bool> flag = false;
  };
  const auto other = std::make_shared<Other>();
  PackOptions options;
  options.source_path = "/models/hang.gguf";
  ASSERT_TRUE(packs_.TryStart(options, other).ok());
  ASSERT_TRUE(Join("hf.co/a/b", Copy()).ok());
  Arrive("/models/b.gguf");
  const Status end = listener_->WaitForEnd();
  EXPECT_EQ(end.reason(), Reason::kBusy);
  EXPECT_THAT(end.message(), HasSubstr("one runs at a time"));
  EXPECT_TRUE(listener_->report().has_value());
  other->flag = true;
  other->flag.notify_all();
}

TEST_F(PullRunnerTest, AddsAPackToADownloadThatHadNone) {
  ASSERT_TRUE(Join("hf.co/a/b").ok());
  const auto second = std::make_shared<Listener>();
  ASSERT_TRUE(runner_.Join({.model = "hf.co/a/b", .directory = "/models"}, Copy(), second).ok());
  Arrive("/models/b.gguf");
  EXPECT_TRUE(second->WaitForEnd().ok());
  EXPECT_EQ(second->pack_path(), "new " + folder_ / "pack.gguf");
}

}  // namespace
}  // namespace edgemoe
