// SPDX-License-Identifier: Apache-2.0
//
// One run of the program: its options that all commands share, and its connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "client/cli/terminal/interrupts.h"
#include "client/cli/terminal/terminal.h"
#include "client/client.h"

namespace edgemoe::cli {

struct CommonOptions {
  std::string address;  // empty: the default socket
  bool json = false;
  bool verbose = false;
  // How long to wait for a daemon that is loading; when set, also for one that does not answer yet.
  std::optional<std::uint32_t> wait_seconds;
};

constexpr std::chrono::seconds kLoadingWait{300};

// Single-threaded but for what Interrupts do.
class Session {
 public:
  explicit Session(CommonOptions options);

  // Connects when that was not done yet. UNAVAILABLE as Client::Connect; CANCELLED on Ctrl-C.
  client::Status Connect();

  // Starts a new wait: the next Connect and WaitToRetry have their whole time, and connect again
  // when the last call ended because of the connection.
  void Forget(const client::Status& status);

  // After Connect.
  client::Client& client() { return *client_; }
  const CommonOptions& options() const { return options_; }
  Interrupts& interrupts() { return interrupts_; }
  StatusLine& status_line() { return status_line_; }
  // What a model thinks is counted on the status line, not shown.
  bool folds_reasoning() const { return folds_reasoning_; }
  void FoldReasoning(bool folds) { folds_reasoning_ = folds; }
  // Whether Ctrl-C ended a wait.
  bool interrupted() const { return interrupted_; }

  // Whether a call that ended with `status` should be tried again: while the daemon is loading and
  // time is left. It has then waited and connected again. Otherwise `status` is what to report.
  bool WaitToRetry(client::Status& status);

  // A call that does not stream, again while the daemon is loading.
  template <class Call>
  auto Retry(Call call) -> decltype(call()) {
    for (;;) {
      auto result = call();
      if (result || !WaitToRetry(result.error())) return result;
    }
  }

  // Ends the program with an error: 130 after Ctrl-C, else as ReportError.
  ExitCode Fail(const client::Status& status) const;
  // What ends a command after Ctrl-C: with --json an error of its own, as readers wait for an end.
  ExitCode Interrupted() const;

 private:
  bool WaitBefore(std::chrono::steady_clock::time_point deadline, const std::string& reason);

  CommonOptions options_;
  Interrupts interrupts_;
  StatusLine status_line_;
  std::optional<client::Client> client_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool interrupted_ = false;
  bool folds_reasoning_ = false;
};

}  // namespace edgemoe::cli
