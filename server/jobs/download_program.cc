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
#include <optional>
#include <string_view>
#include <system_error>
#include <variant>

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

Status SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "ask edgemoe-download");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return OkStatus();
}

Status EndedEarly(const PullRequest& request) {
  return UnavailableError(request.headers_only
                              ? "edgemoe-download ended before all headers were here; try again"
                              : "edgemoe-download ended before the download did; the next "
                                "pull goes on from what is there");
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

Result<PullReport> AskDownloadProgram(const DownloadConnection& program, const PullRequest& request,
                                      const std::function<void(const PullAnswer&)>& on_answer) {
  EDGEMOE_FAIL_IF_ERROR(SendAll(program.socket(), EncodePullRequest(request)));
  LineReader lines;
  std::array<char, 16384> buffer = {};
  while (true) {
    while (std::optional<std::string> line = lines.Next()) {
      const Result<PullAnswer> answer = DecodePullAnswer(*line);
      if (!answer) return Failure(InternalError(answer.error().message()));
      if (const auto* report = std::get_if<PullReport>(&*answer)) return *report;
      if (const auto* status = std::get_if<Status>(&*answer)) return Failure(*status);
      on_answer(*answer);
    }
    const ssize_t count = ::read(program.socket(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure(ErrnoStatus(errno, "listen to edgemoe-download"));
    if (count == 0) return Failure(EndedEarly(request));
    EDGEMOE_FAIL_IF_ERROR(lines.Add({buffer.data(), static_cast<std::size_t>(count)}));
  }
}

}  // namespace edgemoe
