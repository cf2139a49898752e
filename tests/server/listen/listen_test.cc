// SPDX-License-Identifier: Apache-2.0
//
// The unix socket, the peers on it, and the acceptor.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "server/listen/acceptor.h"
#include "server/listen/peer_credentials.h"
#include "server/listen/unix_listener.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using ::testing::HasSubstr;

UniqueFd Connect(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.Reset();
  return fd;
}

// Reads until the other side closes; true when it did.
bool SeesEnd(const UniqueFd& fd) {
  char byte;
  return ::read(fd.get(), &byte, 1) == 0;
}

TEST(DefaultSocketPathTest, FollowsTheEnvironment) {
  EXPECT_EQ(*DefaultSocketPath("/run/edgemoe:/run/other", "/run/user/7", 0),
            "/run/edgemoe/edgemoed.sock");
  EXPECT_EQ(*DefaultSocketPath(nullptr, "/run/user/7", 0), "/run/edgemoe/edgemoed.sock");
  EXPECT_EQ(*DefaultSocketPath("", "/run/user/7", 7), "/run/user/7/edgemoe/edgemoed.sock");
  EXPECT_EQ(DefaultSocketPath(nullptr, nullptr, 7).error().code(), StatusCode::kFailedPrecondition);
}

TEST(UnixListenerTest, MakesDirectoryAndSocketAndRemovesIt) {
  const TempFolder dir;
  const std::string path = dir / "sub/s.sock";
  {
    const auto listener = UnixListener::Bind(path, 0640);
    ASSERT_TRUE(listener) << listener.error().message();
    struct stat info = {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 0777U, 0640U);
    EXPECT_TRUE(Connect(path).valid());
  }
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(UnixListenerTest, TakesOverAStaleSocket) {
  const TempFolder dir;
  const std::string path = dir / "s.sock";
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ASSERT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_TRUE(UnixListener::Bind(path, 0600));
}

TEST(UnixListenerTest, RefusesASecondDaemon) {
  const TempFolder dir;
  const std::string path = dir / "s.sock";
  const auto first = UnixListener::Bind(path, 0600);
  ASSERT_TRUE(first);
  const auto second = UnixListener::Bind(path, 0600);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(second.error().message(), HasSubstr(path));
  EXPECT_TRUE(Connect(path).valid()) << "the first one must not be disturbed";
}

TEST(UnixListenerTest, RefusesAStrangerThatAnswers) {
  const TempFolder dir;
  const std::string path = dir / "s.sock";
  auto stranger = UnixListener::Bind(path, 0600);
  ASSERT_TRUE(stranger);
  ::unlink((path + ".lock").c_str());  // one that knows nothing of our lock
  const auto second = UnixListener::Bind(path, 0600);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(second.error().message(), HasSubstr("answers"));
}

TEST(UnixListenerTest, RefusesWhatIsNoSocket) {
  const TempFolder dir;
  const std::string path = dir / "s.sock";
  std::ofstream(path) << "precious";
  const auto listener = UnixListener::Bind(path, 0600);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_EQ(UnixListener::Bind("/" + std::string(200, 'x'), 0600).error().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(UnixListener::Bind(dir / "a/b/c.sock", 0600).error().code(), StatusCode::kNotFound);
}

TEST(UnixListenerTest, LeavesAnothersSocketAlone) {
  const TempFolder dir;
  const std::string path = dir / "s.sock";
  {
    const auto listener = UnixListener::Bind(path, 0600);
    ASSERT_TRUE(listener);
    std::filesystem::rename(path, dir / "moved");  // keeps its inode
    std::ofstream(path) << "another";
  }
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
}

TEST(PeerPolicyTest, AdmitsSelfRootAndThoseNamed) {
  const std::string users[] = {"17", "root"};
  const std::string groups[] = {"900"};
  const auto policy = PeerPolicy::Make(
      1000, {.users = users, .groups = groups, .admin_users = {}, .admin_groups = {}});
  ASSERT_TRUE(policy);
  EXPECT_TRUE(policy->Admit({.uid = 0, .gid = 0}).ok());
  EXPECT_TRUE(policy->Admit({.uid = 1000, .gid = 5}).ok());
  EXPECT_TRUE(policy->Admit({.uid = 17, .gid = 5}).ok());
  EXPECT_TRUE(policy->Admit({.uid = 5, .gid = 900}).ok());
  EXPECT_TRUE(policy->Admit({.uid = 5, .gid = 5, .pid = 1, .groups = {4, 900}}).ok());
  const Status refused = policy->Admit({.uid = 5, .gid = 1000, .pid = 42, .groups = {17}});
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(refused.message(), HasSubstr("uid 5, gid 1000, pid 42"));
}

TEST(PeerPolicyTest, NamesUnknownUsersAndGroups) {
  const std::string nobody[] = {"no-such-name-here"};
  using Names = PeerPolicy::Names;
  const std::pair<Names, const char*> cases[] = {
      {{.users = nobody, .groups = {}, .admin_users = {}, .admin_groups = {}}, "allow_users"},
      {{.users = {}, .groups = nobody, .admin_users = {}, .admin_groups = {}}, "allow_groups"},
      {{.users = {}, .groups = {}, .admin_users = nobody, .admin_groups = {}}, "admin_users"},
      {{.users = {}, .groups = {}, .admin_users = {}, .admin_groups = nobody}, "admin_groups"}};
  for (const auto& [names, field] : cases)
    EXPECT_THAT(PeerPolicy::Make(0, names).error().message(),
                HasSubstr("listen." + std::string(field) + ": found \"no-such-name-here\""));
}

TEST(PeerPolicyTest, AdministratorsAreRootSelfAndThoseNamed) {
  const std::string users[] = {"17"};
  const std::string groups[] = {"900"};
  const std::string admin_users[] = {"18"};
  const std::string admin_groups[] = {"901"};
  const auto policy = PeerPolicy::Make(
      1000,
      {.users = users, .groups = groups, .admin_users = admin_users, .admin_groups = admin_groups});
  ASSERT_TRUE(policy);
  for (const PeerCredentials& admin :
       {PeerCredentials{.uid = 0, .gid = 0}, PeerCredentials{.uid = 1000, .gid = 5},
        PeerCredentials{.uid = 18, .gid = 5}, PeerCredentials{.uid = 5, .gid = 901},
        PeerCredentials{.uid = 5, .gid = 5, .pid = 1, .groups = {4, 901}}}) {
    EXPECT_TRUE(policy->Admit(admin).ok()) << Describe(admin);
    EXPECT_TRUE(policy->IsAdministrator(admin)) << Describe(admin);
  }
  for (const PeerCredentials& user :
       {PeerCredentials{.uid = 17, .gid = 5}, PeerCredentials{.uid = 5, .gid = 900}}) {
    EXPECT_TRUE(policy->Admit(user).ok()) << Describe(user);
    EXPECT_FALSE(policy->IsAdministrator(user)) << Describe(user);
  }
}

class AcceptorTest : public ::testing::Test {
 protected:
  void Start(std::uint32_t connections_max, std::function<Status(const PeerCredentials&)> admit) {
    auto listener = UnixListener::Bind(path_, 0600);
    ASSERT_TRUE(listener);
    listener_.emplace(*std::move(listener));
    acceptor_.emplace(context_,
                      Acceptor::Options{.connections_max = connections_max,
                                        .admit = std::move(admit),
                                        .take =
                                            [this](UniqueFd fd, const PeerCredentials& peer) {
                                              EXPECT_EQ(peer.uid, ::getuid());
                                              taken_.push_back(std::move(fd));
                                            },
                                        .log = {},
                                        .refuse = refuse_});
    acceptor_->Listen(listener_->TakeSocket());
  }
  // Runs what is ready: a connect on a unix socket is complete when it returns.
  void Poll() {
    context_.restart();
    while (context_.poll() > 0) {
    }
  }

  TempFolder dir_;
  std::string path_ = dir_ / "s.sock";
  boost::asio::io_context context_;
  std::optional<UnixListener> listener_;
  std::vector<UniqueFd> taken_;
  std::function<void(UniqueFd)> refuse_;
  std::optional<Acceptor> acceptor_;
};

Status AdmitAll(const PeerCredentials&) { return OkStatus(); }

TEST_F(AcceptorTest, HandsOnConnectionsWithTheirCredentials) {
  PeerCredentials seen;
  Start(4, [&](const PeerCredentials& peer) {
    seen = peer;
    return OkStatus();
  });
  const UniqueFd client = Connect(path_);
  Poll();
  ASSERT_EQ(taken_.size(), 1U);
  EXPECT_EQ(seen.uid, ::geteuid());
  EXPECT_EQ(seen.gid, ::getegid());
  EXPECT_EQ(seen.pid, ::getpid());
  EXPECT_NE(::fcntl(taken_[0].get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(AcceptorTest, ClosesWhoIsNotAdmitted) {
  Start(4, [](const PeerCredentials&) { return PermissionDeniedError("no"); });
  const UniqueFd client = Connect(path_);
  Poll();
  EXPECT_TRUE(taken_.empty());
  EXPECT_TRUE(SeesEnd(client));
  EXPECT_EQ(acceptor_->connection_count(), 0U);
}

TEST_F(AcceptorTest, HandsThoseThatAreNotAdmittedToWhoTellsThemAFewAtATime) {
  std::vector<UniqueFd> refused;
  refuse_ = [&](UniqueFd fd) { refused.push_back(std::move(fd)); };
  Start(1, [](const PeerCredentials&) { return PermissionDeniedError("no"); });
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 9; ++i) clients.push_back(Connect(path_));
  Poll();
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(refused.size(), 8U);
  EXPECT_TRUE(SeesEnd(clients.back()));
  EXPECT_EQ(acceptor_->connection_count(), 0U) << "they take no place of others";

  clients.front().Reset();
  Poll();
  const UniqueFd next = Connect(path_);
  Poll();
  EXPECT_EQ(refused.size(), 9U);
}

TEST_F(AcceptorTest, BoundsConnectionsAndSeesTheirEnd) {
  Start(2, AdmitAll);
  UniqueFd first = Connect(path_);
  const UniqueFd second = Connect(path_);
  const UniqueFd third = Connect(path_);
  Poll();
  EXPECT_EQ(taken_.size(), 2U);
  EXPECT_TRUE(SeesEnd(third));
  EXPECT_EQ(acceptor_->connection_count(), 2U);

  first.Reset();  // the client goes
  Poll();
  EXPECT_EQ(acceptor_->connection_count(), 1U);
  ::shutdown(taken_[1].get(), SHUT_RDWR);  // the server closes, as gRPC does
  taken_.pop_back();
  Poll();
  EXPECT_EQ(acceptor_->connection_count(), 0U);
  const UniqueFd fourth = Connect(path_);
  Poll();
  EXPECT_EQ(acceptor_->connection_count(), 1U);
}

TEST_F(AcceptorTest, StopAcceptsNoMore) {
  Start(2, AdmitAll);
  acceptor_->Stop();
  EXPECT_FALSE(Connect(path_).valid());
}

}  // namespace
}  // namespace edgemoe
