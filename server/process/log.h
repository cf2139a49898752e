// SPDX-License-Identifier: Apache-2.0
//
// The daemon's log. Lines go through a bounded queue to a thread of its own, so that no caller ever
// waits for a terminal or the journal; when the queue is full the oldest lines are dropped. Lines
// hold no text of prompts or answers.
#pragma once

#include <memory>
#include <string>

#include "engine/base/log.h"
#include "server/process/config.h"

namespace edgemoe {

// "stderr" or "journal": log.target with "auto" resolved for this process.
std::string LogTarget(const Config::Log& config);

class Log {
 public:
  explicit Log(const Config::Log& config);
  ~Log();  // as Close

  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Thread-safe, as are its copies.
  LogSink sink();

  // Of log.level. Thread-safe.
  void SetLevel(const std::string& level);

  // Writes what is queued. Lines that come later are dropped.
  void Close();

 private:
  struct Backend;
  std::unique_ptr<Backend> backend_;
};

}  // namespace edgemoe
