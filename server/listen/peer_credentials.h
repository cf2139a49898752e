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

// Admits root, one own uid, and the users and groups named.
class PeerPolicy {
 public:
  // INVALID_ARGUMENT names a user or group that the system does not know.
  static Result<PeerPolicy> Make(uid_t own_uid, std::span<const std::string> users,
                                 std::span<const std::string> groups);

  // PERMISSION_DENIED says who it was.
  Status Admit(const PeerCredentials& peer) const;

 private:
  std::vector<uid_t> uids_;
  std::vector<gid_t> gids_;
};

}  // namespace edgemoe
