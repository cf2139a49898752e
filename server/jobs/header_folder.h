// SPDX-License-Identifier: Apache-2.0
//
// Where headers of remote models lie while they are looked at.
#pragma once

#include <string>
#include <utility>

#include "engine/base/result.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {

// A hidden folder in the models' directory, removed with what is in it. While it lives it is
// locked, by a lock that ends with its process: one that is not locked is a killed process's, and
// the next Make removes it. Other processes may make theirs in the same directory at the same time.
class HeaderFolder {
 public:
  // Errors are those of ErrnoStatus and name the directory.
  static Result<HeaderFolder> Make(const std::string& directory);

  HeaderFolder(HeaderFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  HeaderFolder& operator=(HeaderFolder&&) = delete;
  ~HeaderFolder();

  const std::string& path() const { return path_; }

  // Removes a folder in this one, given by what lies in it: "PATH/3/m.gguf" removes "PATH/3".
  // INTERNAL: it lies elsewhere.
  Status RemoveFolderOf(const std::string& file) const;

 private:
  HeaderFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;  // empty: moved from
  UniqueFd lock_;
};

}  // namespace edgemoe
