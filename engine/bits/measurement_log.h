// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/base/result.h"
#include "engine/pack/append_file.h"

namespace edgemoe {

// Measurements that took long, by name, kept in a file as they are made, so that a job that was
// killed need not repeat them. A line that is cut short or damaged ends the file. Holds a lock on
// it, which goes with the process: one job at a time. Thread-compatible.
class MeasurementLog {
 public:
  // Opens or makes the file at `path`; one of another `identity` (no newline) is emptied.
  // FAILED_PRECONDITION: another job has it. Other errors name the path.
  static Result<MeasurementLog> Open(const std::string& path, std::string_view identity);

  std::optional<double> Find(const std::string& name) const;

  // Every bit of the value is kept. `name` has no white space. Durable after Sync.
  Status Add(const std::string& name, double value);
  Status Sync() { return file_.Sync(); }

  // The file goes away.
  void Remove() { file_.Remove(); }

 private:
  explicit MeasurementLog(AppendFile file) : file_(std::move(file)) {}

  AppendFile file_;
  std::unordered_map<std::string, double> values_;
};

}  // namespace edgemoe
