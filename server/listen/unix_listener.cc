// SPDX-License-Identifier: Apache-2.0
#include "server/listen/unix_listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

constexpr int kBacklog = 128;

Result<sockaddr_un> MakeAddress(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Failure(InvalidArgumentError("socket '" + path + "': found a path of " +
                                        std::to_string(path.size()) + " bytes; accepted: 1 to " +
                                        std::to_string(sizeof address.sun_path - 1)));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

UniqueFd NewSocket() { return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

Status MakeDirectory(const std::string& socket_path) {
  const std::size_t slash = socket_path.rfind('/');
  if (slash == std::string::npos || slash == 0) return OkStatus();
  const std::string directory = socket_path.substr(0, slash);
  if (::mkdir(directory.c_str(), 0755) == 0 || errno == EEXIST) return OkStatus();
  return ErrnoStatus(errno, "socket directory '" + directory + "'");
}

Result<UniqueFd> Lock(const std::string& socket_path) {
  const std::string path = socket_path + ".lock";
  UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.valid()) return Failure(ErrnoStatus(errno, "lock file '" + path + "'"));
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK)
    return Failure(AlreadyExistsError("socket '" + socket_path +
                                      "': another daemon is on it; stop it, or choose another "
                                      "socket with --socket"));
  return Failure(ErrnoStatus(errno, "lock file '" + path + "'"));
}

// Whether a socket is at the path; FAILED_PRECONDITION for anything else.
Result<bool> SocketIsThere(const std::string& path) {
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return false;
    return Failure(ErrnoStatus(errno, "socket '" + path + "'"));
  }
  if (S_ISSOCK(info.st_mode)) return true;
  return Failure(
      FailedPreconditionError("socket '" + path + "': something that is not a socket is there"));
}

// Removes what a daemon that died has left. Under the lock.
Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  EDGEMOE_ASSIGN_OR_RETURN(const bool is_there, SocketIsThere(path));
  if (!is_there) return OkStatus();
  const UniqueFd probe = NewSocket();
  if (!probe.valid()) return ErrnoStatus(errno, "socket");
  // Never waits: a full backlog gives EAGAIN, which only a living listener has.
  (void)::fcntl(probe.get(), F_SETFL, O_NONBLOCK);
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN)
    return AlreadyExistsError("socket '" + path + "': another process answers on it");
  if (errno != ECONNREFUSED) return ErrnoStatus(errno, "socket '" + path + "'");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return ErrnoStatus(errno, "stale socket '" + path + "'");
  return OkStatus();
}

}  // namespace

Result<std::string> DefaultSocketPath(const char* runtime_directory, const char* xdg_runtime_dir,
                                      uid_t uid) {
  constexpr const char* kName = "/edgemoed.sock";
  if (runtime_directory != nullptr && *runtime_directory != '\0') {
    const std::string_view directories = runtime_directory;  // separated by colons
    return std::string(directories.substr(0, directories.find(':'))) + kName;
  }
  if (uid == 0) return Result<std::string>(tl::in_place, "/run/edgemoe/edgemoed.sock");
  if (xdg_runtime_dir != nullptr && *xdg_runtime_dir != '\0')
    return std::string(xdg_runtime_dir) + "/edgemoe" + kName;
  return Failure(FailedPreconditionError(
      "listen.unix_socket: not set, and neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR says where "
      "sockets go; set it, or use --socket"));
}

Result<UnixListener> UnixListener::Bind(const std::string& path, std::uint32_t mode) {
  EDGEMOE_ASSIGN_OR_FAIL(const sockaddr_un address, MakeAddress(path));
  EDGEMOE_FAIL_IF_ERROR(MakeDirectory(path));
  UnixListener listener;
  EDGEMOE_ASSIGN_OR_FAIL(listener.lock_, Lock(path));
  EDGEMOE_FAIL_IF_ERROR(RemoveStale(path, address));

  const std::string what = "socket '" + path + "'";
  listener.socket_ = NewSocket();
  if (!listener.socket_.valid()) return Failure(ErrnoStatus(errno, what));
  // The mode before bind is the mode that the file is born with: it is never too open.
  if (::fchmod(listener.socket_.get(), 0600) != 0) return Failure(ErrnoStatus(errno, what));
  if (::bind(listener.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0)
    return Failure(ErrnoStatus(errno, what));
  struct stat info = {};
  if (::lstat(path.c_str(), &info) != 0) return Failure(ErrnoStatus(errno, what));
  listener.path_ = path;  // from here on the destructor removes the file
  listener.inode_ = info.st_ino;
  if (::chmod(path.c_str(), mode) != 0) return Failure(ErrnoStatus(errno, what));
  if (::listen(listener.socket_.get(), kBacklog) != 0) return Failure(ErrnoStatus(errno, what));
  return listener;
}

Status UnixListener::Check(const std::string& path) {
  if (const auto address = MakeAddress(path); !address) return address.error();
  EDGEMOE_ASSIGN_OR_RETURN(const bool is_there, SocketIsThere(path));
  if (is_there) return OkStatus();
  // Bind makes the last directory only.
  const std::string directory = path.substr(0, path.rfind('/'));
  const std::string above = directory.substr(0, directory.rfind('/'));
  if (::access(directory.c_str(), F_OK) == 0 || above.empty()) return OkStatus();
  if (::access(above.c_str(), F_OK) == 0) return OkStatus();
  return ErrnoStatus(errno, "socket directory '" + directory + "'");
}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      lock_(std::move(other.lock_)),
      socket_(std::move(other.socket_)),
      inode_(other.inode_) {}

UnixListener::~UnixListener() {
  if (path_.empty()) return;
  struct stat info = {};
  if (::lstat(path_.c_str(), &info) == 0 && info.st_ino == inode_) ::unlink(path_.c_str());
}

bool IsSocketActivated() { return ::sd_listen_fds(/*unset_environment=*/0) > 0; }

Result<std::vector<UniqueFd>> TakeActivatedSockets() {
  const int count = ::sd_listen_fds(/*unset_environment=*/1);
  if (count < 0) return Failure(ErrnoStatus(-count, "socket activation"));
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < count; ++i) sockets.emplace_back(SD_LISTEN_FDS_START + i);
  for (const UniqueFd& socket : sockets) {
    if (::sd_is_socket_unix(socket.get(), SOCK_STREAM, /*listening=*/1, nullptr, 0) <= 0)
      return Failure(InvalidArgumentError("socket activation: descriptor " +
                                          std::to_string(socket.get()) +
                                          " is not a listening unix stream socket; accepted: "
                                          "ListenStream= with a path"));
  }
  return sockets;
}

}  // namespace edgemoe
