// SPDX-License-Identifier: Apache-2.0
//
// The SHA-256 of a file while it grows: a thread of its own reads what was written and hashes it,
// so that it checks what is in the file, and a file that was there in part costs no time of its
// own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "engine/base/mutex.h"
#include "engine/base/result.h"

namespace edgemoe {

// Memory: one block of 1 MiB. Owned and called by one thread.
class FileHasher {
 public:
  // `fd`: open for reading, outlives the hasher.
  explicit FileHasher(int fd);
  ~FileHasher();
  FileHasher(const FileHasher&) = delete;
  FileHasher& operator=(const FileHasher&) = delete;

  // The file's first `bytes` are written and stay as they are. Never fewer than before.
  void Advance(std::uint64_t bytes) EXCLUDES(mutex_);
  // The file is about to be emptied. Nothing reads it when this returns.
  void Restart() EXCLUDES(mutex_);

  // The digest of all bytes up to the last Advance: 64 hexadecimal digits. Nothing while the thread
  // has not got so far; waits for it at most 100 ms. DATA_LOSS: the file cannot be read.
  std::optional<Result<std::string>> TryFinish() EXCLUDES(mutex_);
  std::uint64_t hashed_bytes() EXCLUDES(mutex_);

 private:
  void Run() EXCLUDES(mutex_);

  const int fd_;
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t written_bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t hashed_bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t generation_ GUARDED_BY(mutex_) = 0;
  bool reading_ GUARDED_BY(mutex_) = false;
  bool wanted_ GUARDED_BY(mutex_) = false;  // somebody waits for the digest
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::string digest_ GUARDED_BY(mutex_);
  Status status_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace edgemoe
