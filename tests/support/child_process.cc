// SPDX-License-Identifier: Apache-2.0
#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

extern "C" char** environ;

namespace edgemoe {
namespace {

constexpr std::chrono::milliseconds kPollInterval{10};

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Environment(const ChildProcess::Options& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    bool replaced = false;
    for (const auto& [name, value] : options.environment)
      replaced = replaced || text.starts_with(name + "=");
    if (!replaced) result.push_back(text);
  }
  for (const auto& [name, value] : options.environment)
    if (!value.empty()) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int OpenTerminal(std::string& name) {
  const int fd = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || ::grantpt(fd) != 0 || ::unlockpt(fd) != 0) Die("posix_openpt");
  char buffer[128];
  if (::ptsname_r(fd, buffer, sizeof(buffer)) != 0) Die("ptsname_r");
  name = buffer;
  return fd;
}

struct ChildFiles {
  std::string in, out, err, terminal;
  int inherited_fd = -1;
};

// In the child, between fork and exec: system calls only.
[[noreturn]] void BecomeProgram(const ChildFiles& files, char** arguments, char** environment) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::setsid();
  if (!files.terminal.empty()) {
    const int fd = ::open(files.terminal.c_str(), O_RDWR);
    ::ioctl(fd, TIOCSCTTY, 0);
    for (int i = 0; i < 3; ++i) ::dup2(fd, i);
  } else {
    ::dup2(::open(files.in.c_str(), O_RDONLY), 0);
    ::dup2(::open(files.out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
    ::dup2(::open(files.err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
  }
  if (files.inherited_fd > 3) ::dup2(files.inherited_fd, 3);
  ::close_range(files.inherited_fd < 3 ? 3 : 4, ~0U, 0);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

}  // namespace

TempFolder::TempFolder() {
  // As short as it can be: sockets are made in it.
  const char* const place = std::getenv("TMPDIR");
  path_ = std::string(place == nullptr || std::strlen(place) > 32 ? "/tmp" : place) +
          "/edgemoe_test_XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) Die("mkdtemp");
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool WaitUntil(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

bool ChildProcess::CanHaveTerminal() {
  const int fd = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const Options& options) {
  ChildFiles files{folder_ / "in", folder_ / "out", folder_ / "err", "", options.inherited_fd};
  if (options.terminal)
    terminal_fd_ = OpenTerminal(files.terminal);
  else
    std::ofstream(files.in, std::ios::binary) << options.input;
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment = Environment(options);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  pid_ = ::fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0)
    BecomeProgram(files, const_cast<char**>(argument_pointers.data()),
                  const_cast<char**>(environment_pointers.data()));
  if (options.terminal) Type(options.input);
}

ChildProcess::~ChildProcess() {
  if (!exit_code_) {
    Signal(SIGKILL);
    Reap(/*block=*/true);
  }
  if (terminal_fd_ >= 0) ::close(terminal_fd_);
}

bool ChildProcess::Reap(bool block) {
  if (exit_code_) return true;
  int status = 0;
  pid_t done = 0;
  do {
    done = ::waitpid(pid_, &status, block ? 0 : WNOHANG);
  } while (done < 0 && errno == EINTR);
  if (done != pid_) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool ChildProcess::Running() { return !Reap(/*block=*/false); }

void ChildProcess::Signal(int signal) {
  if (!exit_code_) ::kill(pid_, signal);
}

std::optional<int> ChildProcess::Wait() {
  // A terminal that nobody reads would stop the program.
  const bool ended = WaitUntil([this] {
    ReadTerminal();
    return !Running();
  });
  if (ended) return exit_code_;
  Signal(SIGKILL);
  Reap(/*block=*/true);
  return std::nullopt;
}

void ChildProcess::ReadTerminal() {
  if (terminal_fd_ < 0) return;
  pollfd wait{terminal_fd_, POLLIN, 0};
  char buffer[4096];
  while (::poll(&wait, 1, 0) > 0 && (wait.revents & POLLIN) != 0) {
    const ssize_t count = ::read(terminal_fd_, buffer, sizeof(buffer));
    if (count <= 0) return;
    terminal_output_.append(buffer, static_cast<std::size_t>(count));
  }
}

std::string ChildProcess::output() {
  ReadTerminal();
  return terminal_fd_ >= 0 ? terminal_output_ : ReadFile(folder_ / "out");
}

std::string ChildProcess::errors() { return ReadFile(folder_ / "err"); }

bool ChildProcess::WaitForOutput(std::string_view text) {
  WaitUntil([&] { return output().find(text) != std::string::npos || !Running(); });
  return output().find(text) != std::string::npos;
}

bool ChildProcess::WaitForErrors(std::string_view text) {
  WaitUntil([&] { return errors().find(text) != std::string::npos || !Running(); });
  return errors().find(text) != std::string::npos;
}

void ChildProcess::Type(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(terminal_fd_, text.data(), text.size());
    if (count < 0 && errno != EINTR) Die("write to the terminal");
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace edgemoe
