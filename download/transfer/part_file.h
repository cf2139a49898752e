// SPDX-License-Identifier: Apache-2.0
//
// What is there of a file that is being downloaded: "NAME.part", and "NAME.part.json", which says
// of what it is a part. The file gets its own name when it is whole and on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "download/transfer/file_hasher.h"
#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {

// Two parts are of the same bytes where both have the same SHA-256; without one, where source and
// validator are the same.
struct PartIdentity {
  std::string source;  // URL
  std::string sha256;
  std::string validator;  // HttpHead's
  std::optional<std::uint64_t> bytes;
};

// Thread-compatible; at most one for a name, which the folder's lock sees to.
class PartFile {
 public:
  // Opens what is there, or begins anew where there is nothing, or nothing of `wanted`. A validator
  // that `wanted` does not name is taken over. Errors are those of ErrnoStatus and name the path;
  // FAILED_PRECONDITION: there is something of this name that is no regular file.
  static Result<PartFile> Open(const std::string& folder, const std::string& name,
                               PartIdentity wanted);

  const std::string& path() const { return path_; }
  const PartIdentity& identity() const { return identity_; }
  std::uint64_t bytes() const { return bytes_; }

  // Empties it, and says from now on that it is of `identity`.
  Status Begin(PartIdentity identity);
  Status Append(std::span<const std::byte> bytes);

  // See FileHasher::TryFinish.
  std::optional<Result<std::string>> TryDigest() { return hasher_->TryFinish(); }
  std::uint64_t hashed_bytes() { return hasher_->hashed_bytes(); }

  // On the disk under its own name when it returns. ALREADY_EXISTS: something has this name.
  Status Publish();
  // Removes both files.
  void Discard() { Remove(final_path_); }
  // The same, of the file `path` that is not to be downloaded any more.
  static void Remove(const std::string& path);

 private:
  PartFile(std::string path, UniqueFd fd);

  std::string final_path_;
  std::string path_;
  UniqueFd fd_;
  PartIdentity identity_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<FileHasher> hasher_;  // gone before the descriptor
};

// Removes the companion of a part that has got its name, of a download that ended in between.
void RemoveStaleParts(const std::string& folder, const std::string& name);

}  // namespace edgemoe
