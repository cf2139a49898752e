// SPDX-License-Identifier: Apache-2.0
//
// Who is at the other end of a unix socket, and who may be.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

struct PeerCredentials {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::vector<gid_t> groups{};  // supplementary ones
};

// As the kernel recorded them when the peer connected.
Result<PeerCredentials> ReadPeerCredentials(int fd);

// "uid 1000, gid 1000, pid 4242".
std::string Describe(const PeerCredentials& peer);

// Who is let in: administrators, who may do everything, and users, who may use models. Root and one
// own uid are administrators.
class PeerPolicy {
 public:
  // Names or numbers.
  struct Names {
    std::span<const std::string> users;
    std::span<const std::string> groups;
    std::span<const std::string> admin_users;
    std::span<const std::string> admin_groups;
  };
  // INVALID_ARGUMENT names a user or group that the system does not know.
  static Result<PeerPolicy> Make(uid_t own_uid, const Names& names);

  // PERMISSION_DENIED says who it was.
  Status Admit(const PeerCredentials& peer) const;
  bool IsAdministrator(const PeerCredentials& peer) const { return administrators_.Has(peer); }

 private:
  struct Members {
    std::vector<uid_t> uids;
    std::vector<gid_t> gids;
    bool Has(const PeerCredentials& peer) const;
  };
  Members administrators_;
  Members users_;
};

}  // namespace edgemoe
