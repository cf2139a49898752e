// SPDX-License-Identifier: Apache-2.0
#include "server/listen/peer_credentials.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

constexpr std::size_t kGroupsMax = 65536;             // the kernel's own limit
constexpr std::size_t kNameServiceBytes = 64 * 1024;  // one entry; a large group's members included

std::optional<std::uint32_t> ParseId(const std::string& text) {
  std::uint32_t id = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, id);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return id;
}

Result<uid_t> FindUser(const std::string& name) {
  if (const auto id = ParseId(name)) return uid_t{*id};
  std::vector<char> buffer(kNameServiceBytes);
  struct passwd entry = {};
  struct passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr)
    return Failure(
        InvalidField("listen.allow_users", ShowValue(name), "a user of this system or a number"));
  return found->pw_uid;
}

Result<gid_t> FindGroup(const std::string& name) {
  if (const auto id = ParseId(name)) return gid_t{*id};
  std::vector<char> buffer(kNameServiceBytes);
  struct group entry = {};
  struct group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr)
    return Failure(
        InvalidField("listen.allow_groups", ShowValue(name), "a group of this system or a number"));
  return found->gr_gid;
}

}  // namespace

Result<PeerCredentials> ReadPeerCredentials(int fd) {
  struct ucred credentials = {};
  socklen_t length = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
    return Failure(ErrnoStatus(errno, "peer credentials"));
  PeerCredentials peer{.uid = credentials.uid,
                       .gid = credentials.gid,
                       .pid = credentials.pid,
                       .groups = std::vector<gid_t>(64)};
  for (int attempt = 0; attempt < 2; ++attempt) {
    length = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &length) == 0) {
      peer.groups.resize(length / sizeof(gid_t));
      return peer;
    }
    // ERANGE tells how many there are.
    if (errno != ERANGE || length / sizeof(gid_t) > kGroupsMax) break;
    peer.groups.resize(length / sizeof(gid_t));
  }
  peer.groups.clear();  // an old kernel: the primary group alone counts
  return peer;
}

Result<PeerPolicy> PeerPolicy::Make(uid_t own_uid, std::span<const std::string> users,
                                    std::span<const std::string> groups) {
  PeerPolicy policy;
  policy.uids_ = {0, own_uid};
  for (const std::string& name : users) {
    EDGEMOE_ASSIGN_OR_FAIL(const uid_t uid, FindUser(name));
    policy.uids_.push_back(uid);
  }
  for (const std::string& name : groups) {
    EDGEMOE_ASSIGN_OR_FAIL(const gid_t gid, FindGroup(name));
    policy.gids_.push_back(gid);
  }
  return policy;
}

Status PeerPolicy::Admit(const PeerCredentials& peer) const {
  if (std::ranges::find(uids_, peer.uid) != uids_.end()) return OkStatus();
  for (const gid_t gid : gids_) {
    if (gid == peer.gid || std::ranges::find(peer.groups, gid) != peer.groups.end())
      return OkStatus();
  }
  return PermissionDeniedError("connection of uid " + std::to_string(peer.uid) + ", gid " +
                               std::to_string(peer.gid) + ", pid " + std::to_string(peer.pid) +
                               " refused; see listen.allow_users and listen.allow_groups");
}

}  // namespace edgemoe
