// SPDX-License-Identifier: Apache-2.0
#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

extern "C" char** environ;

namespace edgemoe {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
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

UniqueFd OpenTerminal(std::string& name) {
  UniqueFd fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid() || ::grantpt(fd.get()) != 0 || ::unlockpt(fd.get()) != 0) Die("posix_openpt");
  char buffer[128];
  if (::ptsname_r(fd.get(), buffer, sizeof(buffer)) != 0) Die("ptsname_r");
  name = buffer;
  return fd;
}

struct Pipe {
  UniqueFd read_end, write_end;
};

Pipe OpenPipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) Die("pipe2");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Without waiting for more.
void AppendWhatIsThere(const UniqueFd& fd, std::string& text) {
  pollfd wait{fd.get(), POLLIN, 0};
  char buffer[4096];
  while (::poll(&wait, 1, 0) > 0) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof(buffer));
    if (count <= 0) return;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

struct ChildFiles {
  std::string in, terminal;
  int out_fd = -1;
  int err_fd = -1;
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
    ::dup2(files.out_fd, 1);
    ::dup2(files.err_fd, 2);
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

bool WaitUntil(const std::function<bool()>& condition, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool ChildProcess::CanHaveTerminal() {
  return UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)).valid();
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const Options& options) {
  ChildFiles files{.in = folder_ / "in", .terminal = "", .inherited_fd = options.inherited_fd};
  Pipe output;
  Pipe errors;
  if (options.terminal) {
    output_fd_ = OpenTerminal(files.terminal);
  } else {
    std::ofstream(files.in, std::ios::binary) << options.input;
    output = OpenPipe();
    errors = OpenPipe();
    files.out_fd = output.write_end.get();
    files.err_fd = errors.write_end.get();
    output_fd_ = std::move(output.read_end);
    errors_fd_ = std::move(errors.read_end);
  }
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment = Environment(options);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  pid_ = ::fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0)
    BecomeProgram(files, const_cast<char**>(argument_pointers.data()),
                  const_cast<char**>(environment_pointers.data()));
  process_fd_ = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!process_fd_.valid()) Die("pidfd_open");
  collector_ = std::thread([this] { Collect(); });
  if (options.terminal) Type(options.input);
}

ChildProcess::~ChildProcess() {
  Signal(SIGKILL);
  collector_.join();
}

void ChildProcess::Signal(int signal) {
  const MutexLock lock(mutex_);
  if (!exit_code_) ::kill(pid_, signal);
}

std::optional<int> ChildProcess::Wait(std::chrono::seconds patience) {
  const Instant end = std::chrono::steady_clock::now() + patience;
  {
    const MutexLock lock(mutex_);
    while (!exit_code_ && AwaitChange(end)) continue;
    if (exit_code_) return exit_code_;
  }
  Signal(SIGKILL);
  return std::nullopt;
}

std::string ChildProcess::output() {
  const MutexLock lock(mutex_);
  TakeWhatIsThere();
  return output_;
}

std::string ChildProcess::errors() {
  const MutexLock lock(mutex_);
  TakeWhatIsThere();
  return errors_;
}

bool ChildProcess::WaitForOutput(std::string_view text, std::chrono::seconds patience) {
  return WaitFor(text, &ChildProcess::output_, std::chrono::steady_clock::now() + patience);
}

bool ChildProcess::WaitForErrors(std::string_view text, std::chrono::seconds patience) {
  return WaitFor(text, &ChildProcess::errors_, std::chrono::steady_clock::now() + patience);
}

bool ChildProcess::WaitFor(std::string_view text, std::string ChildProcess::*place, Instant end) {
  const MutexLock lock(mutex_);
  const auto appears = [&] { return (this->*place).find(text) != std::string::npos; };
  while (!appears() && !exit_code_ && AwaitChange(end)) continue;
  return appears();
}

bool ChildProcess::AwaitChange(Instant end) {
  const auto left = end - std::chrono::steady_clock::now();
  if (left <= left.zero()) return false;
  (void)changed_.WaitFor(mutex_, left);
  return true;
}

void ChildProcess::Type(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(output_fd_.get(), text.data(), text.size());
    if (count < 0 && errno != EINTR) Die("write to the terminal");
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void ChildProcess::Collect() {
  pollfd waits[] = {
      {process_fd_.get(), POLLIN, 0}, {output_fd_.get(), POLLIN, 0}, {errors_fd_.get(), POLLIN, 0}};
  while (waits[0].revents == 0) {
    (void)::poll(waits, std::size(waits), -1);
    const MutexLock lock(mutex_);
    TakeWhatIsThere();
    changed_.NotifyAll();
    // What it has closed itself has no more to say.
    for (pollfd& wait : waits)
      if ((wait.revents & (POLLHUP | POLLERR)) != 0) wait.fd = -1;
  }
  const MutexLock lock(mutex_);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  changed_.NotifyAll();
}

void ChildProcess::TakeWhatIsThere() {
  AppendWhatIsThere(output_fd_, output_);
  AppendWhatIsThere(errors_fd_, errors_);
}

}  // namespace edgemoe
