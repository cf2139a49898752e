// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/header_runner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>

#include "server/jobs/header_folder.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::size_t CountIn(const std::string& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

class Listener final : public HeaderListener {
 public:
  bool wants_more() const override { return wants_more_; }
  void OnHeader(const PullHeader& header) override {
    const MutexLock lock(mutex_);
    ++header_count_;
    was_there_ = fs::exists(header.path);
    changed_.NotifyAll();
  }
  void OnEnded(const Result<PullReport>& report) override {
    const MutexLock lock(mutex_);
    report_ = report;
    changed_.NotifyAll();
  }
  // Whether the header's file was there when it was told.
  bool WaitForHeader(int count) {
    const MutexLock lock(mutex_);
    while (header_count_ < count) changed_.Wait(mutex_);
    return was_there_;
  }
  Result<PullReport> WaitForEnd() {
    const MutexLock lock(mutex_);
    while (!report_) changed_.Wait(mutex_);
    return *report_;
  }

  std::atomic<bool> wants_more_ = true;

 private:
  Mutex mutex_;
  CondVar changed_;
  int header_count_ GUARDED_BY(mutex_) = 0;
  bool was_there_ GUARDED_BY(mutex_) = false;
  std::optional<Result<PullReport>> report_ GUARDED_BY(mutex_);
};

// The other end of a connection.
class Program {
 public:
  explicit Program(UniqueFd socket) : socket_(std::move(socket)) {}

  PullRequest ReadRequest() {
    LineReader lines;
    std::array<char, 4096> buffer = {};
    while (true) {
      if (const std::optional<std::string> line = lines.Next())
        return DecodePullRequest(*line).value_or(PullRequest{.model = "", .directory = ""});
      const ssize_t count = ::read(socket_.get(), buffer.data(), buffer.size());
      if (count <= 0) return {.model = "", .directory = ""};
      EXPECT_TRUE(lines.Add({buffer.data(), static_cast<std::size_t>(count)}).ok());
    }
  }
  void Answer(const PullAnswer& answer) {
    const std::string line = EncodePullAnswer(answer);
    EXPECT_EQ(::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(line.size()));
  }
  // Whether the other side has gone, once it has.
  bool WaitForHangUp() {
    std::array<char, 64> ignored = {};
    return ::read(socket_.get(), ignored.data(), ignored.size()) == 0;
  }

 private:
  UniqueFd socket_;
};

class HeaderRunnerTest : public testing::Test {
 protected:
  Result<std::unique_ptr<DownloadConnection>> Connect() {
    std::array<int, 2> ends = {};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const MutexLock lock(mutex_);
    programs_.push_back(std::make_unique<Program>(UniqueFd(ends[1])));
    changed_.NotifyAll();
    return std::make_unique<DownloadConnection>(UniqueFd(ends[0]), -1);
  }
  Program& WaitForProgram(std::size_t index) {
    const MutexLock lock(mutex_);
    while (programs_.size() <= index) changed_.Wait(mutex_);
    return *programs_[index];
  }
  Status Start(const std::shared_ptr<Listener>& listener) {
    return runner_->Start({.model = "hf.co/a/b", .directory = folder_.path(), .headers_only = true},
                          listener);
  }
  // A header as the program leaves it.
  PullHeader MakeHeader(const std::string& directory, int number) {
    const std::string folder = directory + "/" + std::to_string(number);
    fs::create_directory(folder);
    std::ofstream(folder + "/m.gguf") << "x";
    return {.quant = "Q4_0", .path = folder + "/m.gguf"};
  }

  const TempFolder folder_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::unique_ptr<Program>> programs_ GUARDED_BY(mutex_);
  const std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
  std::unique_ptr<HeaderRunner> runner_ =
      std::make_unique<HeaderRunner>([this] { return Connect(); }, LogSink());
};

TEST_F(HeaderRunnerTest, TellsHeadersAndLeavesNothing) {
  ASSERT_TRUE(Start(listener_).ok());
  Program& program = WaitForProgram(0);
  const PullRequest request = program.ReadRequest();
  EXPECT_TRUE(request.headers_only);
  EXPECT_EQ(fs::path(request.directory).parent_path(), folder_.path());
  EXPECT_THAT(fs::path(request.directory).filename().string(), testing::StartsWith("."));
  program.Answer(MakeHeader(request.directory, 1));
  program.Answer(PullHeader{.quant = "x", .problem = DataLossError("broken")});
  program.Answer(MakeHeader(request.directory, 2));
  EXPECT_TRUE(listener_->WaitForHeader(3));
  program.Answer(PullReport{.bytes = 7});
  EXPECT_EQ(listener_->WaitForEnd()->bytes, 7u);
  EXPECT_EQ(CountIn(folder_.path()), 0u);
}

TEST_F(HeaderRunnerTest, AFewAtATime) {
  const auto second = std::make_shared<Listener>();
  const auto third = std::make_shared<Listener>();
  ASSERT_TRUE(Start(listener_).ok());
  ASSERT_TRUE(Start(second).ok());
  EXPECT_EQ(Start(third).reason(), Reason::kBusy);
  WaitForProgram(0).Answer(PullReport());
  WaitForProgram(1).Answer(PullReport());
  EXPECT_TRUE(listener_->WaitForEnd());
  EXPECT_TRUE(second->WaitForEnd());
  ASSERT_TRUE(Start(third).ok());
  WaitForProgram(2).Answer(PullReport());
  EXPECT_TRUE(third->WaitForEnd());
}

TEST_F(HeaderRunnerTest, EndsWhenItIsCancelled) {
  ASSERT_TRUE(Start(listener_).ok());
  Program& program = WaitForProgram(0);
  (void)MakeHeader(program.ReadRequest().directory, 1);
  listener_->wants_more_ = false;
  runner_->Cancel(listener_.get());
  EXPECT_TRUE(program.WaitForHangUp());
  EXPECT_EQ(listener_->WaitForEnd().error().code(), StatusCode::kCancelled);
  EXPECT_EQ(CountIn(folder_.path()), 0u);
}

TEST_F(HeaderRunnerTest, EndsWhenNobodyListensAnyMore) {
  auto leaving = std::make_shared<Listener>();
  ASSERT_TRUE(Start(leaving).ok());
  Program& program = WaitForProgram(0);
  const PullRequest request = program.ReadRequest();
  leaving.reset();
  program.Answer(MakeHeader(request.directory, 1));
  EXPECT_TRUE(program.WaitForHangUp());
  runner_.reset();
  EXPECT_EQ(CountIn(folder_.path()), 0u);
}

TEST_F(HeaderRunnerTest, EndsWithTheDaemon) {
  ASSERT_TRUE(Start(listener_).ok());
  EXPECT_EQ(WaitForProgram(0).ReadRequest().model, "hf.co/a/b");
  runner_.reset();
  EXPECT_EQ(listener_->WaitForEnd().error().code(), StatusCode::kCancelled);
  EXPECT_EQ(CountIn(folder_.path()), 0u);
}

TEST_F(HeaderRunnerTest, TellsErrors) {
  ASSERT_TRUE(Start(listener_).ok());
  WaitForProgram(0).Answer(NotFoundError("no such repository"));
  EXPECT_EQ(listener_->WaitForEnd().error().message(), "no such repository");
}

TEST_F(HeaderRunnerTest, AProgramMayNotNameOtherFiles) {
  const TempFolder other;
  ASSERT_TRUE(Start(listener_).ok());
  Program& program = WaitForProgram(0);
  (void)program.ReadRequest();
  program.Answer(MakeHeader(other.path(), 1));
  EXPECT_EQ(listener_->WaitForEnd().error().code(), StatusCode::kInternal);
  EXPECT_TRUE(fs::exists(other / "1/m.gguf"));
}

TEST(HeaderFolderTest, RemovesWhatKilledProcessesLeft) {
  const TempFolder folder;
  fs::create_directories(folder / ".headers-stale/1");
  std::ofstream(folder / ".headers-stale/1/m.gguf") << "x";
  fs::create_directory(folder / ".headers-other");
  const UniqueFd theirs(::open((folder / ".headers-other").c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(::flock(theirs.get(), LOCK_EX), 0);
  {
    const Result<HeaderFolder> made = HeaderFolder::Make(folder.path());
    ASSERT_TRUE(made) << made.error().ToString();
    EXPECT_FALSE(fs::exists(folder / ".headers-stale"));
    EXPECT_TRUE(fs::exists(folder / ".headers-other")) << "somebody works there";
    const Result<HeaderFolder> second = HeaderFolder::Make(folder.path());
    ASSERT_TRUE(second);
    EXPECT_TRUE(fs::exists(made->path()));
  }
  EXPECT_EQ(CountIn(folder.path()), 1u);
  EXPECT_EQ(HeaderFolder::Make(folder / "none").error().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgemoe
