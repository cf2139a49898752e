// SPDX-License-Identifier: Apache-2.0
//
// Programs that tests run as their users do.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {

// A new, empty folder, removed with what is in it. Its path is short enough for unix sockets.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// Waits of tests are this long at most: enough for a slow, busy machine, and never what decides.
constexpr std::chrono::seconds kPatience{120};

// True as soon as `condition` is, false after `patience`. For what only asking again can tell: asks
// as fast as others let it.
bool WaitUntil(const std::function<bool()>& condition, std::chrono::seconds patience = kPatience);

// One process. Killed by the destructor, and when the thread that started it ends. A thread of its
// own collects what it writes, so it never waits for its reader. Not thread-safe.
class ChildProcess {
 public:
  struct Options {
    std::string input;  // on standard input
    // Set for the child; an empty value removes the variable.
    std::vector<std::pair<std::string, std::string>> environment;
    // A terminal of its own: `input` is typed there, output() shows all of it.
    bool terminal = false;
    // Becomes the child's descriptor 3; -1: it has none but the first three.
    int inherited_fd = -1;
  };

  // False where no pseudo-terminals are mounted, as in bare chroots.
  static bool CanHaveTerminal();

  ChildProcess(const std::vector<std::string>& command, const Options& options);
  explicit ChildProcess(const std::vector<std::string>& command)
      : ChildProcess(command, Options()) {}
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) EXCLUDES(mutex_);
  // The exit code, or 128 + the signal that ended it. Nothing when it still runs after `patience`:
  // it is then killed.
  std::optional<int> Wait(std::chrono::seconds patience = kPatience) EXCLUDES(mutex_);

  // What it wrote to stdout and stderr up to now.
  std::string output() EXCLUDES(mutex_);
  std::string errors() EXCLUDES(mutex_);
  // Whether `text` appears in output() within `patience`, or before the process ends.
  bool WaitForOutput(std::string_view text, std::chrono::seconds patience = kPatience);
  bool WaitForErrors(std::string_view text, std::chrono::seconds patience = kPatience);

  // With a terminal: types `text`.
  void Type(std::string_view text);

 private:
  using Instant = std::chrono::steady_clock::time_point;

  // Until the process has ended and all that it wrote is here.
  void Collect() EXCLUDES(mutex_);
  // What it has written and is not here yet.
  void TakeWhatIsThere() REQUIRES(mutex_);
  bool WaitFor(std::string_view text, std::string ChildProcess::*place, Instant end)
      EXCLUDES(mutex_);
  // False when `end` has come.
  bool AwaitChange(Instant end) REQUIRES(mutex_);

  TempFolder folder_;
  pid_t pid_ = -1;
  UniqueFd process_fd_;  // readable once it has ended
  UniqueFd output_fd_;   // of a pipe, or the terminal
  UniqueFd errors_fd_;   // of a pipe; none with a terminal

  Mutex mutex_;
  CondVar changed_;
  std::string output_ GUARDED_BY(mutex_);
  std::string errors_ GUARDED_BY(mutex_);
  std::optional<int> exit_code_ GUARDED_BY(mutex_);
  std::thread collector_;
};

}  // namespace edgemoe
