// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"
#include "engine/io/storage_file.h"

namespace edgemoe {

// The seam to the disk that is written.
struct PackDisk {
  std::function<ssize_t(int fd, const void* bytes, std::size_t count, off_t offset)> write;
  std::function<std::uint64_t(int fd)> free_bytes;  // that this process may still use

  static PackDisk Real();
};

// What PackOutput::Open says of PATH itself; touches nothing.
Status CheckPackTarget(const std::string& path, bool overwrite,
                       std::span<const StorageFile> sources);

// A file that is written under the name PATH.partial and appears as PATH when it is whole. Holds a
// lock on the unfinished file, which goes with the process. What it writes is sent to the disk as
// it goes and dropped from the page cache: a job of any size takes up a few MiB of it. Thread-
// compatible.
class PackOutput {
 public:
  // INVALID_ARGUMENT: PATH is one of `sources` or no regular file. ALREADY_EXISTS: PATH is there
  // and may not be overwritten. FAILED_PRECONDITION: another job writes it. NOT_FOUND,
  // PERMISSION_DENIED: its folder.
  static Result<PackOutput> Open(const std::string& path, bool overwrite,
                                 std::span<const StorageFile> sources, PackDisk disk);

  std::string partial_path() const { return path_ + ".partial"; }
  std::string journal_path() const { return path_ + ".partial.journal"; }
  // Tells the unfinished file from any other.
  std::string IdentityText() const;
  // The size the unfinished file had when it was opened; 0 for a new one.
  std::uint64_t bytes_found() const { return bytes_found_; }

  // Makes the file so long, of zeros where nothing was written, and takes the room for it where the
  // file system can. RESOURCE_EXHAUSTED names path, needed and free bytes; a file that was empty
  // before is then removed again.
  Status Reserve(std::uint64_t file_bytes);

  // RESOURCE_EXHAUSTED as Reserve gives it, but the file is kept. Best in the order of offsets.
  Status Write(std::uint64_t offset, std::span<const std::byte> bytes);

  // What was written is on the disk when it returns.
  Status Sync();

  // Gives the file its name and removes the journal. ALREADY_EXISTS when the name was taken
  // meanwhile.
  Status Publish();

  // Removes the unfinished file and the journal.
  void Discard();

 private:
  PackOutput() = default;
  Status Lock();
  Status CheckRoom(std::uint64_t file_bytes) const;
  Status NoRoom(std::uint64_t needed_bytes) const;
  void SendToDisk(std::uint64_t end);

  UniqueFd fd_;
  std::string path_;
  bool overwrite_ = false;
  PackDisk disk_;
  FileIdentity identity_;
  std::uint64_t bytes_found_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t window_begin_ = 0;  // written, but not sent to the disk
  std::uint64_t window_end_ = 0;
  std::uint64_t dropped_end_ = 0;  // before the window: sent, and dropped up to here
};

}  // namespace edgemoe
