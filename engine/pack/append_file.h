// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {

// A file that only grows: a heading that says what it belongs to, then records, whose form is the
// owner's. Thread-compatible. Errors name the path.
class AppendFile {
 public:
  // Opens or makes the file, and locks it when `lock` says so: FAILED_PRECONDITION when another
  // holds the lock, which goes with the process.
  static Result<AppendFile> Open(const std::string& path, bool lock);

  // What follows `heading`, at most `bytes_max`; nothing when the file has another heading, or
  // none: the file is then started over with `heading`. Afterwards appends go to the end of what
  // was given.
  Result<std::string> Resume(std::string_view heading, std::uint64_t bytes_max);
  // Empties the file and starts it over with `heading`.
  Status Restart(std::string_view heading);
  // Only the first `bytes` of what Resume gave are valid: the rest goes, and appends go there.
  Status CutTo(std::uint64_t bytes);

  // What a failed one left behind is overwritten by the next.
  Status Append(std::string_view record);
  // What was appended is on the disk when it returns.
  Status Sync();

  // The file goes away.
  void Remove();

 private:
  AppendFile() = default;

  UniqueFd fd_;
  std::string path_;
  std::uint64_t heading_bytes_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace edgemoe
