// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/io/storage_file.h"
#include "engine/load/model_header.h"

namespace edgemoe {

constexpr std::uint64_t kPackRowBytesMax = 4 * std::uint64_t{kWidthMax};

// The model that a pack is made of: its parts, open, and what their headers say. Thread-compatible.
class PackSource {
 public:
  // NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT, FAILED_PRECONDITION, UNIMPLEMENTED name file,
  // key or tensor: what could not be loaded cannot be packed. INVALID_ARGUMENT for a pack.
  static Result<PackSource> Open(const std::string& path);

  const GgufSet& headers() const { return header_.files; }
  const ModelConfig& config() const { return header_.config; }
  const WeightsLayout& layout() const { return header_.layout; }
  const std::vector<StorageFile>& files() const { return files_; }
  std::uint64_t file_bytes() const;  // of all parts

  // What tells this source from another, and from itself after a change: sizes, times of change and
  // headers of all parts.
  std::string IdentityText() const;

  // FAILED_PRECONDITION names a part whose size or time of change is not the one at Open.
  Status CheckUnchanged() const;

  // At most `bytes` from `offset` of a part on, at least 1; a view into a buffer that the next Read
  // overwrites. Errors as BlockReader's, naming the file.
  Result<std::span<const std::byte>> Read(std::uint32_t file_index, std::uint64_t offset,
                                          std::uint64_t bytes);

  // `row_count` rows from `offset` of a part on, some at a time: `visit` is given whole rows, which
  // stay until it returns, and the number of the first. Stops at its first error.
  // REQUIRES: row_bytes <= kPackRowBytesMax.
  using RowVisitor = std::function<Status(std::span<const std::byte> rows, std::uint64_t first)>;
  Status ReadRows(std::uint32_t file_index, std::uint64_t offset, std::uint64_t row_bytes,
                  std::uint64_t row_count, const RowVisitor& visit);

 private:
  PackSource(ModelHeader header, std::vector<StorageFile> files, AlignedBuffer buffer);

  ModelHeader header_;
  std::vector<StorageFile> files_;
  AlignedBuffer buffer_;
};

}  // namespace edgemoe
