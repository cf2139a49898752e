// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/download_program.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

constexpr const char* kProgram = "edgemoe-download";

Result<std::unique_ptr<DownloadConnection>> Connect(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return Failure(InvalidArgumentError("models.download_socket: " + path + " is too long"));
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return Failure(ErrnoStatus(errno, "make a socket"));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return Failure(ErrnoStatus(errno, "connect to edgemoe-download at " + path));
  return std::make_unique<DownloadConnection>(std::move(socket), -1);
}

// Beside this program; empty where it is not there, as in a build folder.
std::string ProgramBesideThis() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const std::filesystem::path program = self.parent_path() / kProgram;
  return ::access(program.c_str(), X_OK) == 0 ? program.string() : std::string();
}

Result<std::unique_ptr<DownloadConnection>> Start() {
  std::array<int, 2> ends = {};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return Failure(ErrnoStatus(errno, "make a pair of sockets"));
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  const std::string beside = ProgramBesideThis();
  std::string program = beside.empty() ? kProgram : beside;
  std::string flag = "--serve";
  char* const arguments[] = {program.data(), flag.data(), nullptr};
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, ::environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return Failure(ErrnoStatus(error, "start " + program));
  return std::make_unique<DownloadConnection>(std::move(ours), child);
}

}  // namespace

DownloadConnection::~DownloadConnection() {
  socket_.Reset();
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<std::unique_ptr<DownloadConnection>> ConnectToDownloadProgram(
    const std::string& socket_path) {
  if (!socket_path.empty() && ::access(socket_path.c_str(), F_OK) == 0) return Connect(socket_path);
  return Start();
}

}  // namespace edgemoe
