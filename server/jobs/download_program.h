// SPDX-License-Identifier: Apache-2.0
//
// The program that downloads, for the daemon itself must not reach the network: by systemd's socket
// for it where there is one, else as a child. Either way one connection is one download, and both
// sides notice when the other has gone.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "download/protocol/pull_lines.h"
#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {

class DownloadConnection {
 public:
  // `child`: -1 where there is none.
  DownloadConnection(UniqueFd socket, pid_t child) : socket_(std::move(socket)), child_(child) {}
  // Ends the program, if it still runs: what it was doing can be ended anywhere.
  ~DownloadConnection();
  DownloadConnection(const DownloadConnection&) = delete;
  DownloadConnection& operator=(const DownloadConnection&) = delete;

  int socket() const { return socket_.get(); }

 private:
  UniqueFd socket_;
  const pid_t child_;
};

// Connects to `socket_path`. Where nothing is there: starts "edgemoe-download", which lies beside
// this program or in PATH. UNAVAILABLE and those of ErrnoStatus say which of both failed.
Result<std::unique_ptr<DownloadConnection>> ConnectToDownloadProgram(
    const std::string& socket_path);
// This, or a test's.
using ConnectToProgram = std::function<Result<std::unique_ptr<DownloadConnection>>()>;

// Writes the request, hears the answers, and gives what the last one says; those before, progress
// or headers, go to `on_answer`. INTERNAL: what it writes is no answer; UNAVAILABLE: it ended
// before its last one.
Result<PullReport> AskDownloadProgram(const DownloadConnection& program, const PullRequest& request,
                                      const std::function<void(const PullAnswer&)>& on_answer);

}  // namespace edgemoe
