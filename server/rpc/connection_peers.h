// SPDX-License-Identifier: Apache-2.0
//
// Who is at the other end of each connection that the gRPC library was given as a descriptor. The
// library tells services the descriptor's number alone ("fd:4100"), and closes it when it likes. So
// that a call which comes late cannot pass for one of the next connection, numbers are given out in
// turn: one is used again when kNumbers others have been, or what is left of
// the numbers that the process may open.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"
#include "server/calls/caller.h"

namespace edgemoe {

// The process at the other end of a unix socket.
struct LocalPeer {
  uid_t uid = 0;
  pid_t pid = 0;
  bool is_administrator = false;
};

// Thread-safe.
class ConnectionPeers {
 public:
  static constexpr int kNumbers = 16384;

  // `first_number`: 0 for numbers in the middle of what this process may open.
  explicit ConnectionPeers(int first_number = 0);

  // The same socket under a number of its own. An error when the process has no descriptor left:
  // the connection is then shut down.
  Result<UniqueFd> Add(UniqueFd socket, const LocalPeer& peer);

  // `peer` as the library gives it. Of other connections ("ipv4:127.0.0.1:40112") nothing more is
  // known: each is an owner of its own, and no administrator.
  Caller Find(std::string_view peer) const;

 private:
  const int first_number_;
  mutable Mutex mutex_;
  int next_ GUARDED_BY(mutex_) = 0;
  std::vector<LocalPeer> peers_ GUARDED_BY(mutex_);  // by number less the first
};

}  // namespace edgemoe
