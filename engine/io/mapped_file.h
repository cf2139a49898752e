// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "engine/base/result.h"
#include "engine/io/storage_file.h"

namespace edgemoe {

// A whole file mapped read-only, for parsing headers: pages are only read where they are touched,
// and belong to the kernel's cache. For weights only where that is to be measured. A file that
// another process shortens while it is mapped raises SIGBUS, so mappings are kept short. Movable;
// thread-compatible.
class MappedFile {
 public:
  // Errors name the path, as StorageFile::Open. An empty file gives an empty span.
  static Result<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, byte_count_}; }
  const FileIdentity& identity() const { return identity_; }  // when it was mapped

 private:
  MappedFile() = default;

  const std::byte* data_ = nullptr;
  std::size_t byte_count_ = 0;
  FileIdentity identity_;
};

}  // namespace edgemoe
