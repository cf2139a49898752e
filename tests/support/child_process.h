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
#include <utility>
#include <vector>

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

// True as soon as `condition` is, false after kPatience.
bool WaitUntil(const std::function<bool()>& condition);

// One process. Killed by the destructor, and when the thread that started it ends. Its output goes
// to files, so it never waits for its reader. Not thread-safe.
class ChildProcess {
 public:
  struct Options {
    std::string input;  // on standard input
    // Set for the child; an empty value removes the variable.
    std::vector<std::pair<std::string, std::string>> environment;
    // A terminal of its own instead of files: `input` is typed there, output() shows all of it.
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
  bool Running();
  void Signal(int signal);
  // The exit code, or 128 + the signal that ended it. Nothing when it still runs after kPatience:
  // it is then killed.
  std::optional<int> Wait();

  // What it wrote to stdout and stderr up to now.
  std::string output();
  std::string errors();
  // Whether `text` appears in output() within kPatience, or before the process ends.
  bool WaitForOutput(std::string_view text);
  bool WaitForErrors(std::string_view text);

  // With a terminal: types `text`.
  void Type(std::string_view text);

 private:
  void ReadTerminal();
  bool Reap(bool block);

  TempFolder folder_;
  pid_t pid_ = -1;
  int terminal_fd_ = -1;
  std::string terminal_output_;
  std::optional<int> exit_code_;
};

}  // namespace edgemoe
