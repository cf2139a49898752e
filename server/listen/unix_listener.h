// SPDX-License-Identifier: Apache-2.0
//
// The daemon's own unix socket: where it is, that only one daemon is on it, and that it is gone
// when the daemon is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {

// edgemoed.sock in the first directory of RUNTIME_DIRECTORY, else in /run/edgemoe for root, else in
// $XDG_RUNTIME_DIR/edgemoe. Empty texts count as not set. FAILED_PRECONDITION when there is none.
Result<std::string> DefaultSocketPath(const char* runtime_directory, const char* xdg_runtime_dir,
                                      uid_t uid);

// A bound and listening socket at a path. A lock on PATH.lock, held for the object's life, makes
// the steps below safe against a second daemon that starts at the same moment. The lock file stays
// behind: to remove it would let two daemons lock two different files.
class UnixListener {
 public:
  // Makes the last directory of the path if it is missing (mode 0755). Removes a socket file that
  // nobody answers on. ALREADY_EXISTS: another daemon is on it. FAILED_PRECONDITION: something that
  // is not a socket is there. PERMISSION_DENIED, INVALID_ARGUMENT, INTERNAL name the path.
  static Result<UnixListener> Bind(const std::string& path, std::uint32_t mode);

  // Of the errors of Bind those that can be seen without changing anything. A socket that is there
  // is none of them, whoever is on it.
  static Status Check(const std::string& path);

  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&&) = delete;
  // Removes the socket file, unless another one has taken its place.
  ~UnixListener();

  const std::string& path() const { return path_; }
  // The listening socket, once; the caller owns it.
  UniqueFd TakeSocket() { return std::move(socket_); }

 private:
  UnixListener() = default;

  std::string path_;  // empty after a move
  UniqueFd lock_;
  UniqueFd socket_;
  ino_t inode_ = 0;
};

// Whether systemd's socket activation handed over sockets, before they are taken.
bool IsSocketActivated();

// Sockets that systemd's socket activation handed over; empty when none. INVALID_ARGUMENT for one
// that is not a listening unix stream socket. Only the first call finds them.
Result<std::vector<UniqueFd>> TakeActivatedSockets();

}  // namespace edgemoe
