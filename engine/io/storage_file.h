// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {

// Tells whether two opens saw the same, unchanged file. Every write changes it: the time of
// modification can be put back, that of the last change of the inode cannot. So do a new name, a
// removal, and changed rights, which leave the bytes alone.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  // since the epoch
  std::int64_t changed_ns = 0;   // since the epoch
  bool operator==(const FileIdentity&) const = default;
};

// A regular file, open for reading until the object dies. Reads go around the page cache
// (O_DIRECT): what is read is cached by us, once, under our own budget. Thread-compatible; `fd()`
// may be read from by any thread.
class StorageFile {
 public:
  enum class Caching : std::uint8_t {
    kAvoid,  // O_DIRECT where the file system has it, else as kKernel; see `direct`
    kKernel,
  };

  // Errors name the path: NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT for what is not a regular
  // file, and what else ErrnoStatus gives.
  static Result<StorageFile> Open(const std::string& path, Caching caching = Caching::kAvoid);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  const FileIdentity& identity() const { return identity_; }
  std::uint64_t bytes() const { return identity_.bytes; }

  // What the open file is now; as `identity()` unless somebody has changed it. About 1 us; on
  // failure what it was.
  FileIdentity CurrentIdentity() const;

  // Reads need aligned offsets, lengths and memory (kReadAlignment) and leave no trace in the page
  // cache. False: this file system refuses that (tmpfs, some network and overlay ones).
  bool direct() const { return direct_; }

 private:
  StorageFile() = default;

  UniqueFd fd_;
  std::string path_;
  FileIdentity identity_;
  bool direct_ = false;
};

}  // namespace edgemoe
