// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connection_peers.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

namespace edgemoe {
namespace {

UniqueFd Open() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::string Name(const UniqueFd& fd) { return "fd:" + std::to_string(fd.get()); }

TEST(ConnectionPeersTest, TellsWhoHasWhichNumber) {
  ConnectionPeers peers(600);
  const auto user = peers.Add(Open(), {.uid = 7, .pid = 9});
  const auto admin = peers.Add(Open(), {.uid = 0, .pid = 1, .is_administrator = true});
  ASSERT_TRUE(user && admin);
  EXPECT_GE(user->get(), 600);
  const Caller found = peers.Find(Name(*user));
  EXPECT_EQ(found.peer, "uid 7, pid 9");
  EXPECT_EQ(found.owner, "uid 7");
  EXPECT_FALSE(found.is_administrator);
  EXPECT_TRUE(peers.Find(Name(*admin)).is_administrator);
}

TEST(ConnectionPeersTest, NobodyElseIsAnAdministrator) {
  ConnectionPeers peers(600);
  ASSERT_TRUE(peers.Add(Open(), {.uid = 0, .pid = 1, .is_administrator = true}));
  for (const char* const name : {"ipv4:127.0.0.1:600", "", "fd:", "fd:x", "fd:0", "fd:599",
                                 "fd:30000", "fd:-1", "fd:99999999999999", "unix:/run/fd:600"}) {
    const Caller caller = peers.Find(name);
    EXPECT_FALSE(caller.is_administrator) << name;
    EXPECT_EQ(caller.owner, name);
  }
}

// A call that was read before its connection ended must not find the next connection's rights.
TEST(ConnectionPeersTest, ANumberIsNotUsedAgainSoon) {
  ConnectionPeers peers(600);
  int last = 0;
  {
    const auto user = peers.Add(Open(), {.uid = 7, .pid = 9});
    ASSERT_TRUE(user);
    last = user->get();
  }
  for (int i = 0; i < 100; ++i) {
    const auto next = peers.Add(Open(), {.uid = 0, .pid = 1, .is_administrator = true});
    ASSERT_TRUE(next);
    EXPECT_GT(next->get(), last);
    last = next->get();
  }
  EXPECT_FALSE(peers.Find("fd:600").is_administrator);
}

TEST(ConnectionPeersTest, StartsAnewWhenNumbersEnd) {
  struct rlimit limit = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  constexpr int end = 700;
  const rlim_t before = std::exchange(limit.rlim_cur, end);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  ConnectionPeers peers(end - 3);
  std::vector<UniqueFd> open;
  for (int i = 0; i < 3; ++i) {
    auto fd = peers.Add(Open(), {.uid = static_cast<uid_t>(i)});
    ASSERT_TRUE(fd);
    open.push_back(*std::move(fd));
  }
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd peer(ends[0]);
  const UniqueFd duplicate(::dup(ends[1]));
  EXPECT_FALSE(peers.Add(UniqueFd(ends[1]), {.uid = 3})) << "all numbers are in use";
  char byte = 0;
  EXPECT_EQ(::read(peer.get(), &byte, 1), 0) << "the peer is told, though a duplicate is open";
  open.erase(open.begin() + 1);
  const auto fd = peers.Add(Open(), {.uid = 4});
  ASSERT_TRUE(fd);
  EXPECT_EQ(peers.Find(Name(*fd)).owner, "uid 4");
  EXPECT_EQ(peers.Find(Name(open[0])).owner, "uid 0");
  limit.rlim_cur = before;
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

}  // namespace
}  // namespace edgemoe
