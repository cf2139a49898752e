// SPDX-License-Identifier: Apache-2.0
//
// Who may do what with a real daemon: as another user, over TCP, and after SIGHUP.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;
using client::StatusCode;

// One that nobody listens on now.
std::string FreeAddress() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

const std::vector<std::string> kAsNobody = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                            "--clear-groups"};

bool CanBeNobody() { return ::geteuid() == 0 && ::access(kAsNobody.front().c_str(), X_OK) == 0; }

class E2eRightsTest : public testing::Test {
 protected:
  // A slow daemon that also listens on `tcp_`. Where somebody else takes the port before the daemon
  // does, another one is tried.
  void StartWithTcp() {
    constexpr int kTriesMax = 5;
    for (int tries = 0; tries < kTriesMax; ++tries) {
      tcp_ = FreeAddress();
      std::vector<std::string> flags = kSlowStorage;
      flags.insert(flags.end(), {"--tcp", tcp_});
      daemon_.emplace(socket_, flags);
      if (daemon_->WaitReady()) return;
      ASSERT_THAT(daemon_->log(), testing::HasSubstr("cannot be listened on"));
    }
    FAIL() << daemon_->log();
  }

  const TempFolder folder_;
  const std::string socket_ = folder_ / "d.sock";
  std::string tcp_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(E2eRightsTest, OverTcpModelsAreUsedAndNothingIsChanged) {
  ASSERT_NO_FATAL_FAILURE(StartWithTcp());
  auto client = client::Client::Connect(tcp_);
  ASSERT_TRUE(client) << client.error().ToString();
  EXPECT_TRUE(Receive(client->Complete(Greedy("Once", 1))).status.ok());
  EXPECT_TRUE(client->ListModels());
  EXPECT_TRUE(client->GetStats());

  v1::PackRequest pack;
  pack.set_source_path(EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf");
  for (const client::Status& refused :
       {client->Resize(0).error(), client->Probe({}).error(), client->Pack(pack).Finish(),
        client->RecordTrace({}).Finish()}) {
    EXPECT_EQ(refused.code, StatusCode::kPermissionDenied) << refused.ToString();
    EXPECT_EQ(refused.reason, "ADMINISTRATOR_NEEDED");
  }

  // The unix socket's requests are another's.
  client::Client own = daemon_->Connect();
  client::CompleteStream stream = own.Complete(Greedy("Once", 400));
  v1::CompleteResponse message;
  ASSERT_TRUE(stream.Next(message));
  EXPECT_EQ(client->ListRequests()->requests_size(), 0);
  EXPECT_EQ(client->Abort(message.started().request_id()).code, StatusCode::kNotFound);
  EXPECT_TRUE(own.Abort(message.started().request_id()).ok());
}

// A service's user has no way into a home directory.
TEST_F(E2eRightsTest, AModelBehindAClosedFolderIsToldWithWhatOpensIt) {
  if (!CanBeNobody()) GTEST_SKIP() << "only root, with setpriv, can be somebody else";
  fs::permissions(folder_.path(), fs::perms::others_exec, fs::perm_options::add);
  fs::copy_file(EDGEMOED_PROGRAM, folder_ / "edgemoed");
  fs::create_directories(folder_ / "home/models");
  const std::string model = folder_ / "home/models/m.gguf";
  std::ofstream(model) << "x";
  fs::permissions(folder_ / "home", fs::perms::owner_all);
  std::vector<std::string> command = kAsNobody;
  command.insert(command.end(), {folder_ / "edgemoed", "--config=", "--socket", folder_ / "d.sock",
                                 "--check-config", "--model", model});
  ChildProcess check(command);
  EXPECT_EQ(check.Wait(), 66);
  EXPECT_THAT(check.errors(), testing::HasSubstr("may not enter " + (folder_ / "home") +
                                                 ": `setfacl -m u:nobody:x"));
}

// The socket's mode, which the kernel looks at before the daemon knows of anybody.
TEST_F(E2eRightsTest, WhoMayNotUseTheSocketIsToldSo) {
  if (!CanBeNobody()) GTEST_SKIP() << "only root, with setpriv, can be somebody else";
  DaemonProcess daemon(socket_, {});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  fs::permissions(folder_.path(), fs::perms::others_exec, fs::perm_options::add);
  fs::copy_file(EDGEMOE_PROGRAM, folder_ / "edgemoe");
  std::vector<std::string> command = kAsNobody;
  command.insert(command.end(), {folder_ / "edgemoe", "-s", socket_, "models"});
  ChildProcess refused(command);
  EXPECT_EQ(refused.Wait(), 77);
  EXPECT_THAT(refused.errors(), testing::HasSubstr("no permission to use the socket " + socket_));
}

TEST_F(E2eRightsTest, AUserBecomesAnAdministratorBySighup) {
  if (!CanBeNobody()) GTEST_SKIP() << "only root, with setpriv, can be somebody else";
  const std::string config = folder_ / "c.json";
  std::ofstream(config) << R"({"listen": {"allow_users": ["65534"]}})";
  DaemonProcess daemon(socket_, {"--config", config, "--socket-mode", "0666"});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  // Where anybody may run it.
  fs::permissions(folder_.path(), fs::perms::others_exec, fs::perm_options::add);
  fs::copy_file(EDGEMOE_PROGRAM, folder_ / "edgemoe");
  const auto as_user = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> command = kAsNobody;
    command.insert(command.end(), {folder_ / "edgemoe", "-s", socket_});
    command.insert(command.end(), arguments.begin(), arguments.end());
    return ChildProcess(command).Wait();
  };
  EXPECT_EQ(as_user({"complete", "-n", "2", "Once"}), 0);
  EXPECT_EQ(as_user({"resize", "auto"}), 77);
  std::ofstream(config) << R"({"listen": {"admin_users": ["65534"]}})";
  daemon.process().Signal(SIGHUP);
  ASSERT_TRUE(daemon.process().WaitForErrors("listen.admin_users")) << daemon.log();
  EXPECT_EQ(as_user({"resize", "auto"}), 0) << daemon.log();
}

}  // namespace
}  // namespace edgemoe
