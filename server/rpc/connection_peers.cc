// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connection_peers.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

constexpr std::string_view kDescriptorPrefix = "fd:";
constexpr int kFirstNumberMax = 8192;  // the kernel's table grows with the highest number

int MiddleOfLimit() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur / 2, kFirstNumberMax));
}

}  // namespace

ConnectionPeers::ConnectionPeers(int first_number)
    : first_number_(first_number != 0 ? first_number : MiddleOfLimit()) {}

Result<UniqueFd> ConnectionPeers::Add(UniqueFd socket, const LocalPeer& peer) {
  const MutexLock lock(mutex_);
  // From the next number on; where none is left up there, from the first one.
  for (const int from : {next_, 0}) {
    UniqueFd own(::fcntl(socket.get(), F_DUPFD_CLOEXEC, first_number_ + from));
    if (!own.valid()) continue;
    const int index = own.get() - first_number_;
    if (index >= kNumbers) continue;
    if (peers_.size() <= static_cast<std::size_t>(index))
      peers_.resize(static_cast<std::size_t>(index) + 1);
    peers_[static_cast<std::size_t>(index)] = peer;
    next_ = (index + 1) % kNumbers;
    return own;
  }
  (void)::shutdown(socket.get(), SHUT_RDWR);  // others may hold duplicates, the peer is to know
  return Failure(ErrnoStatus(EMFILE, "connection"));
}

Caller ConnectionPeers::Find(std::string_view peer) const {
  Caller caller{.peer = std::string(peer), .owner = std::string(peer)};
  if (!peer.starts_with(kDescriptorPrefix)) return caller;
  peer.remove_prefix(kDescriptorPrefix.size());
  int number = 0;
  const auto parsed = std::from_chars(peer.data(), peer.data() + peer.size(), number);
  if (parsed.ec != std::errc() || number < first_number_) return caller;
  const MutexLock lock(mutex_);
  const auto index = static_cast<std::size_t>(number - first_number_);
  if (index >= peers_.size()) return caller;
  const LocalPeer& local = peers_[index];
  caller.owner = "uid " + std::to_string(local.uid);
  caller.peer = caller.owner + ", pid " + std::to_string(local.pid);
  caller.is_administrator = local.is_administrator;
  return caller;
}

}  // namespace edgemoe
