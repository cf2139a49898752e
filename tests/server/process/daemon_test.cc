// SPDX-License-Identifier: Apache-2.0
//
// The daemon's life, as a process of its own with a fake engine.

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "edgemoe/v1/inference.grpc.pb.h"
#include "edgemoe/v1/observe.grpc.pb.h"
#include "engine/base/check.h"
#include "engine/base/system/unique_fd.h"
#include "server/process/exit_codes.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
constexpr int kPatienceMs = static_cast<int>(std::chrono::milliseconds(kPatience).count());

// What systemd is told, as systemd hears it.
class NotifySocket {
 public:
  explicit NotifySocket(std::string path)
      : path_(std::move(path)), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EDGEMOE_CHECK(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
                  "bind");
  }
  const std::string& path() const { return path_; }

  // The next message; empty when none comes.
  std::string Next() {
    pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, kPatienceMs) <= 0) return "";
    char buffer[4096];
    const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }

  // The first message that holds `words`; empty when none comes.
  std::string WaitFor(const std::string& words) {
    for (std::string message = Next(); !message.empty(); message = Next())
      if (message.find(words) != std::string::npos) return message;
    return "";
  }

 private:
  const std::string path_;
  const UniqueFd fd_;
};

class DaemonTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChildProcess> Start(const std::string& model,
                                      const std::string& drain_timeout_ms = "60000") {
    return std::make_unique<ChildProcess>(
        std::vector<std::string>{FAKE_DAEMON_PROGRAM, "--config=", "--model", model, "--socket",
                                 path_, "--drain-timeout-ms", drain_timeout_ms},
        ChildProcess::Options{
            .input = {}, .environment = {{"NOTIFY_SOCKET", notify_.path()}}, .terminal = false});
  }
  void StartServing(const std::string& drain_timeout_ms = "60000") {
    daemon_ = Start("fake.gguf", drain_timeout_ms);
    ASSERT_THAT(notify_.WaitFor("READY=1"), HasSubstr("serving fake"));
  }
  std::unique_ptr<v1::InferenceService::Stub> NewStub() const {
    return v1::InferenceService::NewStub(
        grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials()));
  }

  TempFolder dir_;
  const std::string path_ = dir_ / "d.sock";
  NotifySocket notify_{dir_ / "notify"};
  std::unique_ptr<ChildProcess> daemon_;
};

v1::CompleteRequest Request(const std::string& prompt) {
  v1::CompleteRequest request;
  request.set_prompt(prompt);
  return request;
}

TEST_F(DaemonTest, ReadyThenStopsOnSigterm) {
  StartServing();
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
  daemon_->Signal(SIGTERM);
  EXPECT_THAT(notify_.WaitFor("STOPPING=1"), HasSubstr("EXTEND_TIMEOUT_USEC="));
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_NE(::access(path_.c_str(), F_OK), 0) << "the socket file is left";
}

TEST_F(DaemonTest, SigtermDuringLoadEndsAtOnce) {
  daemon_ = Start("stuck.gguf");
  EXPECT_THAT(notify_.WaitFor("loading 25 %"), HasSubstr("EXTEND_TIMEOUT_USEC="));
  {
    const auto stub = NewStub();
    grpc::ClientContext context;
    const grpc::Status status = stub->Tokenize(&context, {})->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(status.error_message(), HasSubstr("loading 25 %"));
  }
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

TEST_F(DaemonTest, ExitCodeSaysWhyTheModelCannotBeServed) {
  daemon_ = Start("too-large.gguf");
  EXPECT_EQ(daemon_->Wait(), static_cast<int>(ExitCode::kBudgetTooSmall));
  EXPECT_THAT(daemon_->errors(), HasSubstr("needs at least 1 GiB"));
}

TEST_F(DaemonTest, SecondDaemonOnTheSocketIsRefused) {
  StartServing();
  const auto second = Start("fake.gguf");
  EXPECT_EQ(second->Wait(), static_cast<int>(ExitCode::kAlreadyRunning));
  EXPECT_THAT(second->errors(), HasSubstr("another daemon is on it"));
  daemon_->Signal(SIGINT);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, DrainLetsRequestsFinishAndRefusesNewOnes) {
  StartServing();
  const auto stub = NewStub();
  grpc::ClientContext context;
  const auto reader = stub->Complete(&context, Request("endless"));
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));
  const std::string id = message.started().request_id();
  daemon_->Signal(SIGTERM);
  ASSERT_FALSE(notify_.WaitFor("STOPPING=1").empty());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  const UniqueFd fresh(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fresh.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), -1);
  EXPECT_EQ(errno, ECONNREFUSED) << "a proxy goes to another daemon";
  // Health and refusals are said before the engine drains, on the same thread; the refusal itself
  // comes when the engine has heard of it.
  EXPECT_TRUE(WaitUntil([&] {
    grpc::ClientContext refused;
    v1::CompleteRequest request = Request("a");
    request.mutable_stopping()->set_max_tokens(1);
    const auto second = stub->Complete(&refused, request);
    while (second->Read(&message)) {
    }
    return second->Finish().error_code() == grpc::StatusCode::UNAVAILABLE;
  }));
  ASSERT_TRUE(reader->Read(&message)) << "the running one goes on";
  v1::AbortRequest abort;
  abort.set_request_id(id);
  v1::AbortResponse aborted;
  grpc::ClientContext abort_context;
  EXPECT_TRUE(stub->Abort(&abort_context, abort, &aborted).ok());
  while (reader->Read(&message)) {
  }
  EXPECT_TRUE(message.has_finished());
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, SecondSignalCancels) {
  StartServing();
  const auto stub = NewStub();
  grpc::ClientContext context;
  const auto reader = stub->Complete(&context, Request("hang"));
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));
  daemon_->Signal(SIGTERM);
  ASSERT_FALSE(notify_.WaitFor("STOPPING=1").empty());
  daemon_->Signal(SIGTERM);
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(message.finished().reason(), v1::FINISH_REASON_CANCELLED);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, DrainTimeoutCancels) {
  StartServing(/*drain_timeout_ms=*/"50");
  const auto stub = NewStub();
  grpc::ClientContext context;
  const auto reader = stub->Complete(&context, Request("hang"));
  v1::CompleteResponse message;
  ASSERT_TRUE(reader->Read(&message));
  daemon_->Signal(SIGTERM);
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(message.finished().reason(), v1::FINISH_REASON_CANCELLED);
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, SighupReadsTheConfigurationAgain) {
  const std::string file = dir_ / "c.json";
  std::ofstream(file) << R"({"threads": 1})";
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{FAKE_DAEMON_PROGRAM, "--config", file, "--model", "fake.gguf",
                               "--socket", path_},
      ChildProcess::Options{
          .input = {}, .environment = {{"NOTIFY_SOCKET", notify_.path()}}, .terminal = false});
  ASSERT_FALSE(notify_.WaitFor("READY=1").empty());

  std::ofstream(file) << R"({"threads": 2, "drain_timeout_ms": 7})";
  daemon_->Signal(SIGHUP);
  EXPECT_THAT(notify_.WaitFor("RELOADING=1"), HasSubstr("MONOTONIC_USEC="));
  EXPECT_FALSE(notify_.WaitFor("READY=1").empty());
  EXPECT_TRUE(daemon_->WaitForErrors("taken over: drain_timeout_ms; with the next start: threads"))
      << daemon_->errors();

  std::ofstream(file) << R"({"memory": {"budget": 5000}})";
  daemon_->Signal(SIGHUP);
  EXPECT_TRUE(daemon_->WaitForErrors("memory.budget is now")) << daemon_->errors();

  std::ofstream(file) << R"({"listen": {"allow_groups": ["no-such-group"]}})";
  daemon_->Signal(SIGHUP);
  EXPECT_TRUE(daemon_->WaitForErrors("nothing changes: listen.allow_groups")) << daemon_->errors();
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

// What a call is told that wants a model.
grpc::Status AskForTokens(v1::InferenceService::Stub& stub) {
  grpc::ClientContext context;
  const auto reader = stub.Tokenize(&context, {});
  for (v1::TokenizeResponse message; reader->Read(&message);) {
  }
  return reader->Finish();
}

TEST_F(DaemonTest, WithoutAModelEverythingElseIsServedAndSighupLoadsOne) {
  const std::string file = dir_ / "c.json";
  std::ofstream(file) << R"({"memory": {"budget": 5000}})";
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{FAKE_DAEMON_PROGRAM, "--config", file, "--socket", path_},
      ChildProcess::Options{
          .input = {}, .environment = {{"NOTIFY_SOCKET", notify_.path()}}, .terminal = false});
  EXPECT_THAT(notify_.WaitFor("READY=1"), HasSubstr("without a model: "));
  const auto inference = NewStub();
  const grpc::Status refused = AskForTokens(*inference);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("model.path is not set"));
  EXPECT_THAT(refused.error_details(), HasSubstr("NO_MODEL"));
  const auto observe = v1::ObserveService::NewStub(
      grpc::CreateChannel("unix:" + path_, grpc::InsecureChannelCredentials()));
  v1::GetStatsResponse stats;
  grpc::ClientContext stats_context;
  EXPECT_TRUE(observe->GetStats(&stats_context, {}, &stats).ok());
  EXPECT_EQ(stats.model(), "");
  EXPECT_NE(stats.version(), "");

  std::ofstream(file) << R"({"model": {"path": "no-such-name"}})";
  daemon_->Signal(SIGHUP);
  EXPECT_THAT(notify_.WaitFor("READY=1"), HasSubstr("found \"no-such-name\""));
  std::ofstream(file) << R"({"model": {"path": "too-large.gguf"}, "sessions_max": 2})";
  daemon_->Signal(SIGHUP);
  EXPECT_FALSE(notify_.WaitFor("STATUS=Loading too-large.gguf").empty());
  EXPECT_THAT(notify_.WaitFor("READY=1"), HasSubstr("needs at least 1 GiB"));
  EXPECT_TRUE(daemon_->WaitForErrors("taken over: model.path; with the next start: sessions_max"));
  std::ofstream(file) << R"({"model": {"path": "fake.gguf"}})";
  daemon_->Signal(SIGHUP);
  EXPECT_FALSE(notify_.WaitFor("READY=1\nSTATUS=Ready: serving fake").empty());
  EXPECT_TRUE(AskForTokens(*inference).ok());
  std::ofstream(file) << R"({"model": {"path": "other.gguf"}})";
  daemon_->Signal(SIGHUP);
  EXPECT_TRUE(daemon_->WaitForErrors("taken over: nothing; with the next start: model.path"));
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, WithoutAModelItStopsAtOnce) {
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{FAKE_DAEMON_PROGRAM, "--config=", "--socket", path_},
      ChildProcess::Options{
          .input = {}, .environment = {{"NOTIFY_SOCKET", notify_.path()}}, .terminal = false});
  ASSERT_FALSE(notify_.WaitFor("READY=1").empty());
  daemon_->Signal(SIGTERM);
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, TheWatchdogIsFedAsLongAsTheEngineGetsOn) {
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{FAKE_DAEMON_PROGRAM, "--config=", "--model", "fake.gguf", "--socket",
                               path_},
      ChildProcess::Options{
          .input = {},
          .environment = {{"NOTIFY_SOCKET", notify_.path()}, {"WATCHDOG_USEC", "400000"}},
          .terminal = false});
  ASSERT_FALSE(notify_.WaitFor("READY=1").empty());
  EXPECT_FALSE(notify_.WaitFor("WATCHDOG=1").empty());
  const auto stub = NewStub();
  {
    grpc::ClientContext context;
    const auto reader = stub->Complete(&context, Request("wedge"));
    EXPECT_THAT(notify_.WaitFor("STATUS=Stuck"), HasSubstr("no read has landed"));
    // Nothing feeds it: what was sent from here on are signs of other things.
    daemon_->Signal(SIGHUP);
    for (std::string message = notify_.Next(); message.find("RELOADING=1") == std::string::npos;
         message = notify_.Next())
      ASSERT_THAT(message, AllOf(Not(HasSubstr("WATCHDOG=1")), Not(IsEmpty())));
    context.TryCancel();
  }
  EXPECT_FALSE(notify_.WaitFor("WATCHDOG=1").empty()) << "the request has ended";
  EXPECT_TRUE(daemon_->WaitForErrors("gets on again")) << daemon_->errors();
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, AModelsNameIsEnough) {
  const std::string models = dir_ / "models";
  std::filesystem::create_directory(models);
  std::ofstream(models + "/tiny-Q4_0.gguf") << "x";
  daemon_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{FAKE_DAEMON_PROGRAM, "--config=", "--model", "tiny-Q4_0",
                               "--models-directory", models, "--models-others", "off", "--socket",
                               path_},
      ChildProcess::Options{
          .input = {}, .environment = {{"NOTIFY_SOCKET", notify_.path()}}, .terminal = false});
  ASSERT_TRUE(daemon_->WaitForErrors("loading " + models + "/tiny-Q4_0.gguf")) << daemon_->errors();
  EXPECT_FALSE(notify_.WaitFor("READY=1").empty());
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

// A daemon that systemd starts for a connection, with that connection waiting.
class ActivatedDaemonTest : public DaemonTest {
 protected:
  ActivatedDaemonTest() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EDGEMOE_CHECK(
        ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
        "bind");
    EDGEMOE_CHECK(::listen(listener_.get(), 8) == 0, "listen");
  }

  // A daemon with these flags, which has the listening socket.
  void StartActivated(const std::vector<std::string>& flags) {
    std::vector<std::string> command = {"/bin/sh", "-c", "LISTEN_PID=$$ exec \"$0\" \"$@\"",
                                        FAKE_DAEMON_PROGRAM};
    command.insert(command.end(), flags.begin(), flags.end());
    daemon_ = std::make_unique<ChildProcess>(
        command, ChildProcess::Options{
                     .input = {},
                     .environment = {{"LISTEN_FDS", "1"}, {"NOTIFY_SOCKET", notify_.path()}},
                     .terminal = false,
                     .inherited_fd = listener_.get()});
  }

  // What a waiting client hears from a daemon with these flags; ends with the daemon's exit code.
  std::string Hears(const std::vector<std::string>& flags, ExitCode code) {
    auto stub = NewStub();
    auto call = std::async(std::launch::async, [&stub] { return AskUntilTold(*stub); });
    pollfd waiting{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiting, 1, kPatienceMs), 1) << "nobody connects";
    StartActivated(flags);
    const std::string heard = call.get();
    stub.reset();  // the daemon leaves soon after its last client
    const std::optional<int> ended = daemon_->Wait();
    EXPECT_EQ(ended, static_cast<int>(code)) << daemon_->errors();
    return heard;
  }

  // What a call that waits for the daemon is told once it does not load any more.
  static std::string AskUntilTold(v1::InferenceService::Stub& stub) {
    while (true) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      context.set_deadline(std::chrono::system_clock::now() + kPatience);
      const grpc::Status status = stub.Tokenize(&context, {})->Finish();
      if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return status.error_message();
    }
  }

  const UniqueFd listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(ActivatedDaemonTest, TheClientHearsWhyNothingIsServed) {
  EXPECT_THAT(Hears({"--config=", "--model", "too-large.gguf"}, ExitCode::kBudgetTooSmall),
              HasSubstr("needs at least 1 GiB"));
}

TEST_F(ActivatedDaemonTest, TheClientHearsWhatIsWrongWithTheConfiguration) {
  EXPECT_THAT(Hears({"--config=", "--model", "fake.gguf", "--allow-groups", "no-such-group"},
                    ExitCode::kConfig),
              HasSubstr("no-such-group"));
}

TEST_F(ActivatedDaemonTest, TheClientHearsOfAConfigurationFileThatIsRefused) {
  std::ofstream(dir_ / "bad.json") << R"({"threads": 99})";
  EXPECT_THAT(Hears({"--config", dir_ / "bad.json"}, ExitCode::kConfig),
              HasSubstr("bad.json:1: threads"));
}

TEST_F(ActivatedDaemonTest, EndsWhenNobodyWasConnectedForAWhile) {
  StartActivated({"--config=", "--model", "fake.gguf", "--idle-exit-s", "1"});
  ASSERT_FALSE(notify_.WaitFor("READY=1").empty());
  {
    const auto stub = NewStub();
    EXPECT_TRUE(AskForTokens(*stub).ok());
  }
  EXPECT_EQ(daemon_->Wait(), 0) << daemon_->errors();
  EXPECT_THAT(daemon_->errors(), HasSubstr("nobody was connected for 1 s"));
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0) << "the socket is systemd's";
}

}  // namespace
}  // namespace edgemoe
