// SPDX-License-Identifier: Apache-2.0
//
// How a daemon comes and goes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

// Exit codes of edgemoed.
constexpr int kUsage = 64;
constexpr int kModelDamaged = 65;
constexpr int kModelUnreadable = 66;
constexpr int kConfig = 78;
constexpr int kBudgetTooSmall = 80;
constexpr int kAlreadyRunning = 81;

class E2eLifecycleTest : public testing::Test {
 protected:
  bool SocketExists() const { return ::access(socket_.c_str(), F_OK) == 0; }

  // The exit code of a daemon that is expected to give up by itself, and what it said.
  std::pair<std::optional<int>, std::string> Refused(const std::vector<std::string>& flags) {
    DaemonProcess daemon(socket_, flags);
    const auto code = daemon.process().Wait();
    return {code, daemon.log()};
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
};

TEST_F(E2eLifecycleTest, ASecondDaemonOnTheSocketIsRefused) {
  DaemonProcess first(socket_, {});
  ASSERT_TRUE(first.WaitReady()) << first.log();
  const auto [code, log] = Refused({});
  EXPECT_EQ(code, kAlreadyRunning) << log;
  EXPECT_THAT(log, HasSubstr(socket_));
  EXPECT_TRUE(Receive(first.Connect().Complete(Greedy("Once", 4))).status.ok());
  EXPECT_EQ(first.Stop(), 0);
  EXPECT_FALSE(SocketExists());
}

// Nobody hears what systemd would; the daemon's own log says when it stops feeding the watchdog.
TEST_F(E2eLifecycleTest, AReadThatDoesNotEndIsAHangAndComputingIsNone) {
  const DaemonProcess::Environment watched = {{"WATCHDOG_USEC", "400000"}};
  DaemonProcess stuck(socket_, {"--expert-budget", "6MiB", "--io-faults", "slow:ms=1500"}, watched);
  ASSERT_TRUE(stuck.WaitReady()) << stuck.log();
  client::Client client = stuck.Connect();
  client::CompleteStream stream = client.Complete(Greedy("Once upon a time", 2));
  EXPECT_TRUE(stuck.process().WaitForErrors("no read has landed")) << stuck.log();
  EXPECT_TRUE(stuck.process().WaitForErrors("gets on again")) << stuck.log();
  stream.Cancel();
  stuck.process().Signal(SIGTERM);
  stuck.process().Signal(SIGTERM);
  EXPECT_EQ(stuck.process().Wait(), 0) << stuck.log();

  DaemonProcess busy(socket_, {"--threads", "1"}, watched);
  ASSERT_TRUE(busy.WaitReady()) << busy.log();
  client::Client other = busy.Connect();
  EXPECT_TRUE(Receive(other.Complete(Greedy("Once upon a time", 400))).status.ok());
  EXPECT_EQ(busy.Stop(), 0);
  EXPECT_THAT(busy.log(), testing::Not(HasSubstr("no read has landed")));
}

TEST_F(E2eLifecycleTest, AUserWhoIsNotLetInHearsIt) {
  const std::string set_user = "/usr/bin/setpriv";
  if (::geteuid() != 0 || ::access(set_user.c_str(), X_OK) != 0)
    GTEST_SKIP() << "SKIPPED: only root, with setpriv, can be somebody else";
  DaemonProcess daemon(socket_, {"--socket-mode", "0666"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  // Where anybody may run it.
  namespace fs = std::filesystem;
  fs::permissions(folder_.path(), fs::perms::others_exec, fs::perm_options::add);
  fs::copy_file(EDGEMOE_PROGRAM, folder_ / "edgemoe");
  ChildProcess client({set_user, "--reuid=65534", "--regid=65534", "--clear-groups",
                       folder_ / "edgemoe", "-s", socket_, "stats"});
  EXPECT_EQ(client.Wait(), 77) << client.errors();
  EXPECT_THAT(client.errors(), HasSubstr("PERMISSION_DENIED: this user may not use the daemon"));
  EXPECT_TRUE(daemon.process().WaitForErrors("uid 65534")) << daemon.log();
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST_F(E2eLifecycleTest, AKilledDaemonsSocketIsTakenOver) {
  {
    DaemonProcess first(socket_, {});
    ASSERT_TRUE(first.WaitReady()) << first.log();
    first.process().Signal(SIGKILL);
    EXPECT_EQ(first.process().Wait(), 137);
  }
  ASSERT_TRUE(SocketExists());
  DaemonProcess second(socket_, {});
  ASSERT_TRUE(second.WaitReady()) << second.log();
  EXPECT_TRUE(Receive(second.Connect().Complete(Greedy("Once", 4))).status.ok());
  EXPECT_EQ(second.Stop(), 0);
}

TEST_F(E2eLifecycleTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(socket_) << "mine";
  const auto [code, log] = Refused({});
  EXPECT_NE(code, 0);
  EXPECT_THAT(log, HasSubstr(socket_));
  std::string content;
  std::ifstream(socket_) >> content;
  EXPECT_EQ(content, "mine");
}

TEST_F(E2eLifecycleTest, TerminatingLetsRunningAnswersFinish) {
  DaemonProcess daemon(socket_, {"--drain-timeout-ms", "600000"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  client::CompleteStream stream = client.Complete(Greedy("Once upon a time", 300));
  v1::CompleteResponse message;
  while (!message.has_chunk()) ASSERT_TRUE(stream.Next(message));
  daemon.process().Signal(SIGTERM);
  const ReceivedAnswer rest = Receive(std::move(stream));
  EXPECT_TRUE(rest.status.ok()) << rest.status.ToString();
  EXPECT_EQ(rest.finished.reason(), v1::FINISH_REASON_MAX_TOKENS);
  EXPECT_EQ(rest.finished.usage().completion_tokens(), 300u);
  EXPECT_EQ(daemon.process().Wait(), 0) << daemon.log();
  EXPECT_FALSE(SocketExists());
}

TEST_F(E2eLifecycleTest, ADrainThatTakesTooLongCancels) {
  std::vector<std::string> flags = kSlowStorage;
  flags.insert(flags.end(), {"--drain-timeout-ms", "0"});
  DaemonProcess daemon(socket_, flags);
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  client::Client client = daemon.Connect();
  client::CompleteStream stream = client.Complete(Greedy("Once upon a time", 450));
  v1::CompleteResponse message;
  ASSERT_TRUE(stream.Next(message));
  daemon.process().Signal(SIGTERM);
  EXPECT_FALSE(stream.Finish().ok());
  EXPECT_EQ(daemon.process().Wait(), 0) << daemon.log();
}

TEST_F(E2eLifecycleTest, TellsSystemdWhenItIsReadyAndWhenItStops) {
  const std::string path = folder_ / "notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  std::string told;
  const auto was_told = [&](const char* what) {
    pollfd wait{fd, POLLIN, 0};
    constexpr auto kPatienceMs = std::chrono::milliseconds(kPatience).count();
    while (told.find(what) == std::string::npos) {
      if (::poll(&wait, 1, static_cast<int>(kPatienceMs)) <= 0) return false;
      char buffer[4096];
      const ssize_t count = ::recv(fd, buffer, sizeof(buffer), 0);
      if (count > 0) told.append(buffer, static_cast<std::size_t>(count)).append("\n");
    }
    return true;
  };
  DaemonProcess daemon(socket_, {}, {{"NOTIFY_SOCKET", path}});
  EXPECT_TRUE(was_told("READY=1")) << told;
  EXPECT_TRUE(was_told("STATUS=")) << told;
  // READY means that a request is served, without waiting.
  EXPECT_TRUE(Receive(daemon.Connect().Complete(Greedy("Once", 2))).status.ok());
  daemon.process().Signal(SIGTERM);
  EXPECT_TRUE(was_told("STOPPING=1")) << told;
  EXPECT_EQ(daemon.process().Wait(), 0);
  ::close(fd);
}

TEST_F(E2eLifecycleTest, GivesUpWithReasonAndCode) {
  EXPECT_EQ(Refused({"--no-such-flag"}).first, kUsage);
  EXPECT_EQ(Refused({"--threads", "1000"}).first, kUsage);
  const auto [missing, missing_log] = Refused({"--model", folder_ / "none.gguf"});
  EXPECT_EQ(missing, kModelUnreadable) << missing_log;
  EXPECT_THAT(missing_log, HasSubstr("none.gguf"));
  std::ofstream(folder_ / "damaged.gguf") << "GGUF, but no more than that";
  const auto [damaged, damaged_log] = Refused({"--model", folder_ / "damaged.gguf"});
  EXPECT_EQ(damaged, kModelDamaged) << damaged_log;
  const auto [small, small_log] = Refused({"--memory-budget", "1MiB"});
  EXPECT_EQ(small, kBudgetTooSmall) << small_log;
  EXPECT_THAT(small_log, HasSubstr("MiB"));
  std::ofstream(folder_ / "config.json") << "{\n  // a comment\n  \"treads\": 4\n}\n";
  const auto [config, config_log] = Refused({"--config", folder_ / "config.json"});
  EXPECT_EQ(config, kConfig) << config_log;
  EXPECT_THAT(config_log, HasSubstr("treads"));
  EXPECT_THAT(config_log, HasSubstr(":3"));
  EXPECT_FALSE(SocketExists());
}

TEST_F(E2eLifecycleTest, CheckFindsWhatStartingWouldAndStartsNothing) {
  const std::string demo = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";
  std::ofstream(folder_ / "damaged.gguf") << "GGUF, but no more than that";
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{"--model", folder_ / "none.gguf"}, kModelUnreadable},
      {{"--model", folder_ / "damaged.gguf"}, kModelDamaged},
      {{"--model", demo, "--memory-budget", "1MiB"}, kBudgetTooSmall},
      {{"--model", demo, "--allow-groups", "no-such-group"}, kConfig},
  };
  for (auto [flags, code] : cases) {
    const auto [started, log] = Refused(flags);
    flags.emplace_back("--check-config");
    const auto [checked, told] = Refused(flags);
    EXPECT_EQ(started, code) << log;
    EXPECT_EQ(checked, code) << told;
    EXPECT_FALSE(told.empty());
  }
  // Beside a daemon that serves, as before a restart.
  DaemonProcess daemon(socket_, {});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const auto [good, told] = Refused({"--check-config"});
  EXPECT_EQ(good, 0) << told;
  EXPECT_TRUE(Receive(daemon.Connect().Complete(Greedy("Once", 2))).status.ok());
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST_F(E2eLifecycleTest, PrintedConfigurationHoldsWhatIsInForce) {
  DaemonProcess daemon(socket_, {"--print-config"});
  EXPECT_EQ(daemon.process().Wait(), 0) << daemon.log();
  const auto config = nlohmann::json::parse(daemon.process().output(), nullptr, false);
  ASSERT_TRUE(config.is_object()) << daemon.process().output();
  EXPECT_NE(config["memory"]["budget"], "auto");
  EXPECT_NE(config["memory"]["expert_budget"], "auto");
  EXPECT_NE(config["kernels"], "auto");
  EXPECT_NE(config["io"]["backend"], "auto");
  EXPECT_GT(config["threads"], 0);
  EXPECT_EQ(config["model"]["name"], "edgemoe-demo-q8_0");
  // What is printed is accepted, and means the same.
  std::ofstream(folder_ / "c.json") << config.dump();
  DaemonProcess again(socket_, {"--config", folder_ / "c.json", "--print-config"});
  EXPECT_EQ(again.process().Wait(), 0) << again.log();
  EXPECT_EQ(nlohmann::json::parse(again.process().output(), nullptr, false), config);
}

}  // namespace
}  // namespace edgemoe
