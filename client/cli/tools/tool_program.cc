// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/tool_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace edgemoe::cli {
namespace {

using client::StatusCode;
constexpr std::chrono::milliseconds kLookAgain{20};

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

client::Status Failed(const std::string& what, int error) {
  const StatusCode code = error == ENOENT   ? StatusCode::kNotFound
                          : error == EACCES ? StatusCode::kPermissionDenied
                                            : StatusCode::kUnavailable;
  return {code, what + ": " + std::strerror(error)};
}

// A file in memory, to be read from its beginning.
int FileWith(const std::string& text) {
  const int fd = ::memfd_create("edgemoe-tool-input", MFD_CLOEXEC);
  if (fd < 0) return fd;
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd, text.data() + done, text.size() - done);
    if (count <= 0) {
      ::close(fd);
      return -1;
    }
    done += static_cast<std::size_t>(count);
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

// In a group of its own and with Ctrl-C unblocked, which is taken for it here.
int Spawn(const std::vector<std::string>& command, int input, int output, pid_t* pid) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const int error =
      ::posix_spawnp(pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// False when Ctrl-C came first.
bool ReadAll(int fd, Interrupts& interrupts, std::string& text, bool& cut) {
  char buffer[1 << 14];
  for (;;) {
    pollfd waits[] = {{fd, POLLIN, 0}, {interrupts.fd(), POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return true;
    if (waits[1].revents != 0 && interrupts.Take()) return false;
    if (waits[0].revents == 0) continue;
    const ssize_t count = ::read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    const auto bytes = static_cast<std::size_t>(count);
    const std::size_t room = kToolOutputBytesMax - text.size();
    text.append(buffer, std::min(bytes, room));
    cut = cut || bytes > room;
  }
}

std::string AsUtf8(const std::string& text) {
  return nlohmann::json::parse(
             nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .get<std::string>();
}

std::string EndText(int status) {
  if (WIFSIGNALED(status)) return "[ended by signal " + std::to_string(WTERMSIG(status)) + "]";
  if (WEXITSTATUS(status) != 0) return "[exit status " + std::to_string(WEXITSTATUS(status)) + "]";
  return {};
}

}  // namespace

client::Result<std::string> RunToolProgram(const std::vector<std::string>& command,
                                           const std::string& input, Interrupts& interrupts) {
  const Fd file(FileWith(input));
  int ends[2] = {-1, -1};
  if (file.get() < 0 || ::pipe2(ends, O_CLOEXEC) != 0)
    return tl::unexpected(Failed("cannot run " + command[0], errno));
  Fd output(ends[0]);
  Fd written(ends[1]);
  pid_t pid = -1;
  if (const int error = Spawn(command, file.get(), written.get(), &pid); error != 0)
    return tl::unexpected(Failed("cannot run " + command[0], error));
  written.Close();

  std::string text;
  bool cut = false;
  bool goes_on = ReadAll(output.get(), interrupts, text, cut);
  int status = 0;
  while (goes_on && ::waitpid(pid, &status, WNOHANG) == 0)
    goes_on = !interrupts.WaitFor(kLookAgain);
  if (!goes_on) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    return tl::unexpected(client::Status{StatusCode::kCancelled, command[0] + " was interrupted"});
  }
  text = AsUtf8(text);
  if (cut) text += "\n[cut off after " + std::to_string(kToolOutputBytesMax >> 20) + " MiB]";
  if (const std::string end = EndText(status); !end.empty()) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    text += end;
  }
  return text;
}

}  // namespace edgemoe::cli
