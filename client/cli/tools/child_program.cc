// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace edgemoe::cli {
namespace {

using client::StatusCode;
using std::chrono::steady_clock;
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
  const int fd = ::memfd_create("edgemoe-program-input", MFD_CLOEXEC);
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

// Pointers to the texts, as exec takes them.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(
    const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto replaced = [&](const auto& variable) {
      return text.starts_with(variable.first + "=");
    };
    if (std::ranges::none_of(more, replaced)) all.push_back(text);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

// In a group of its own and with Ctrl-C unblocked, which is taken for it here.
int Spawn(const std::vector<std::string>& command, const ProgramOptions& options, int input,
          int output, pid_t* pid) {
  const std::vector<char*> arguments = Pointers(command);
  const std::vector<std::string> variables = EnvironmentWith(options.environment);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  if (options.takes_errors) posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  const int error = ::posix_spawnp(pid, arguments[0], &actions, &attributes, arguments.data(),
                                   Pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// Waits for one child, and for what ends the wait.
class Watch {
 public:
  Watch(const ProgramOptions& options, Interrupts& interrupts)
      : interrupts_(interrupts), time_max_(options.time_max) {}

  // Until the end of what it writes; false when it has to be ended.
  bool ReadAll(int fd, ProgramEnd& end) {
    char buffer[1 << 14];
    while (!TimeIsUp()) {
      pollfd waits[] = {{fd, POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}};
      if (::poll(waits, 2, WaitMs()) < 0 && errno != EINTR) return true;
      if (waits[1].revents != 0 && interrupts_.Take()) return Interrupted();
      if (waits[0].revents == 0) continue;
      const ssize_t count = ::read(fd, buffer, sizeof(buffer));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return true;
      const auto bytes = static_cast<std::size_t>(count);
      const std::size_t room = kProgramOutputBytesMax - end.output.size();
      end.output.append(buffer, std::min(bytes, room));
      end.cut = end.cut || bytes > room;
    }
    return false;
  }

  bool AwaitEnd(pid_t pid, int& status) {
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      if (TimeIsUp()) return false;
      if (interrupts_.WaitFor(kLookAgain)) return Interrupted();
    }
    return true;
  }

  client::Status Why(const std::string& program) const {
    if (interrupted_) return {StatusCode::kCancelled, program + " was interrupted"};
    return {StatusCode::kDeadlineExceeded, program + " took too long"};
  }

 private:
  bool Interrupted() {
    interrupted_ = true;
    return false;
  }
  bool TimeIsUp() const { return time_max_ && steady_clock::now() - start_ >= *time_max_; }
  int WaitMs() const {
    if (!time_max_) return -1;
    const auto left = *time_max_ - (steady_clock::now() - start_);
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
  }

  Interrupts& interrupts_;
  const std::optional<std::chrono::milliseconds> time_max_;
  const steady_clock::time_point start_ = steady_clock::now();
  bool interrupted_ = false;
};

}  // namespace

client::Result<ProgramEnd> RunProgram(const std::vector<std::string>& command,
                                      const ProgramOptions& options, Interrupts& interrupts) {
  const Fd file(FileWith(options.input));
  int ends[2] = {-1, -1};
  if (file.get() < 0 || ::pipe2(ends, O_CLOEXEC) != 0)
    return tl::unexpected(Failed("cannot run " + command[0], errno));
  const Fd output(ends[0]);
  Fd written(ends[1]);
  pid_t pid = -1;
  if (const int error = Spawn(command, options, file.get(), written.get(), &pid); error != 0)
    return tl::unexpected(Failed("cannot run " + command[0], error));
  written.Close();

  Watch watch(options, interrupts);
  ProgramEnd end;
  if (watch.ReadAll(output.get(), end) && watch.AwaitEnd(pid, end.status)) return end;
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, &end.status, 0);
  return tl::unexpected(watch.Why(command[0]));
}

std::string OwnDirectory() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0 || size == static_cast<ssize_t>(sizeof(path))) return "";
  const std::string text(path, static_cast<std::size_t>(size));
  return text.substr(0, text.rfind('/') + 1);
}

}  // namespace edgemoe::cli
