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

Result<uid_t> FindUser(const char* field, const std::string& name) {
  if (const auto id = ParseId(name)) return uid_t{*id};
  std::vector<char> buffer(kNameServiceBytes);
  struct passwd entry = {};
  struct passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr)
    return Failure(InvalidField(field, ShowValue(name), "a user of this system or a number"));
  return found->pw_uid;
}

Result<gid_t> FindGroup(const char* field, const std::string& name) {
  if (const auto id = ParseId(name)) return gid_t{*id};
  std::vector<char> buffer(kNameServiceBytes);
  struct group entry = {};
  struct group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr)
    return Failure(InvalidField(field, ShowValue(name), "a group of this system or a number"));
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

std::string Describe(const PeerCredentials& peer) {
  return "uid " + std::to_string(peer.uid) + ", gid " + std::to_string(peer.gid) + ", pid " +
         std::to_string(peer.pid);
}

Result<PeerPolicy> PeerPolicy::Make(uid_t own_uid, const Names& names) {
  PeerPolicy policy;
  policy.administrators_.uids = {0, own_uid};
  const auto add_users = [](const char* field, std::span<const std::string> users,
                            Members& members) -> Status {
    for (const std::string& name : users) {
      EDGEMOE_ASSIGN_OR_RETURN(const uid_t uid, FindUser(field, name));
      members.uids.push_back(uid);
    }
    return OkStatus();
  };
  const auto add_groups = [](const char* field, std::span<const std::string> groups,
                             Members& members) -> Status {
    for (const std::string& name : groups) {
      EDGEMOE_ASSIGN_OR_RETURN(const gid_t gid, FindGroup(field, name));
      members.gids.push_back(gid);
    }
    return OkStatus();
  };
  EDGEMOE_FAIL_IF_ERROR(add_users("listen.allow_users", names.users, policy.users_));
  EDGEMOE_FAIL_IF_ERROR(add_groups("listen.allow_groups", names.groups, policy.users_));
  EDGEMOE_FAIL_IF_ERROR(add_users("listen.admin_users", names.admin_users, policy.administrators_));
  EDGEMOE_FAIL_IF_ERROR(
      add_groups("listen.admin_groups", names.admin_groups, policy.administrators_));
  return policy;
}

bool PeerPolicy::Members::Has(const PeerCredentials& peer) const {
  if (std::ranges::find(uids, peer.uid) != uids.end()) return true;
  return std::ranges::any_of(gids, [&peer](gid_t gid) {
    return gid == peer.gid || std::ranges::find(peer.groups, gid) != peer.groups.end();
  });
}

Status PeerPolicy::Admit(const PeerCredentials& peer) const {
  if (administrators_.Has(peer) || users_.Has(peer)) return OkStatus();
  return PermissionDeniedError("connection of " + Describe(peer) +
                               " refused; see listen.allow_users and listen.allow_groups");
}

}  // namespace edgemoe
