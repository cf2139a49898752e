// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/check.h"
#include "engine/gguf/pack_keys.h"
#include "engine/io/read_progress.h"
#include "engine/load/model_parts.h"

namespace edgemoe {
namespace {

constexpr std::size_t kPackReadBytes = std::size_t{4} << 20;

static_assert(kPackRowBytesMax + kReadAlignment <= kPackReadBytes);

}  // namespace

PackSource::PackSource(ModelHeader header, std::vector<StorageFile> files, AlignedBuffer buffer)
    : header_(std::move(header)), files_(std::move(files)), buffer_(std::move(buffer)) {}

Result<PackSource> PackSource::Open(const std::string& path) {
  EDGEMOE_ASSIGN_OR_FAIL(ModelHeader header, ReadModelHeader(path));
  if (IsPack(header.files.metadata()))
    return Failure(InvalidArgumentError(path + ": is an expert pack already; expected the stock "
                                               "GGUF file that it was made of"));
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<StorageFile> files, OpenModelFiles(header));
  EDGEMOE_ASSIGN_OR_FAIL(AlignedBuffer buffer, AlignedBuffer::Allocate(kPackReadBytes));
  return PackSource(std::move(header), std::move(files), std::move(buffer));
}

std::uint64_t PackSource::file_bytes() const {
  std::uint64_t bytes = 0;
  for (const StorageFile& file : files_) bytes += file.bytes();
  return bytes;
}

std::string PackSource::IdentityText() const {
  std::string text;
  for (std::size_t i = 0; i < files_.size(); ++i)
    text += std::to_string(files_[i].bytes()) + " " +
            std::to_string(files_[i].identity().modified_ns) + " " +
            header_.parts[i].header_digest + "\n";
  return text;
}

Status PackSource::CheckUnchanged() const {
  const Status status = edgemoe::CheckUnchanged(files_);
  return status.ok() ? status
                     : FailedPreconditionError(status.message() + " to be packed; pack it again");
}

Result<std::span<const std::byte>> PackSource::Read(std::uint32_t file_index, std::uint64_t offset,
                                                    std::uint64_t bytes) {
  const StorageFile& file = files_[file_index];
  const std::uint64_t block = AlignDown(offset, kReadAlignment);
  const std::uint64_t skip = offset - block;
  const std::uint64_t needed = std::min<std::uint64_t>(skip + bytes, buffer_.bytes());
  ReadProgress progress({.file_index = file_index,
                         .offset = block,
                         .destination = buffer_.data(),
                         .bytes = static_cast<std::uint32_t>(AlignUp(needed, kReadAlignment)),
                         .bytes_needed = static_cast<std::uint32_t>(needed)});
  for (;;) {
    const ssize_t got = ::pread(file.fd(), progress.destination(), progress.bytes(),
                                static_cast<off_t>(progress.offset()));
    const auto next = progress.OnResult(got < 0 ? -std::int64_t{errno} : got);
    if (next == ReadProgress::Next::kDone) break;
    if (next == ReadProgress::Next::kFailed) return Failure(progress.StatusFor(file.path()));
  }
  if (!file.direct())
    ::posix_fadvise(file.fd(), static_cast<off_t>(block), static_cast<off_t>(needed),
                    POSIX_FADV_DONTNEED);
  return std::span<const std::byte>(buffer_.span())
      .subspan(static_cast<std::size_t>(skip), static_cast<std::size_t>(needed - skip));
}

Status PackSource::ReadRows(std::uint32_t file_index, std::uint64_t offset, std::uint64_t row_bytes,
                            std::uint64_t row_count, const RowVisitor& visit) {
  EDGEMOE_CHECK(row_bytes > 0 && row_bytes <= kPackRowBytesMax, "a row fits the buffer");
  // Whatever the offset, so many rows are read at once.
  const std::uint64_t rows_max = (buffer_.bytes() - kReadAlignment) / row_bytes;
  for (std::uint64_t first = 0; first < row_count; first += rows_max) {
    const std::uint64_t bytes = std::min(rows_max, row_count - first) * row_bytes;
    EDGEMOE_ASSIGN_OR_RETURN(const std::span<const std::byte> rows,
                             Read(file_index, offset + first * row_bytes, bytes));
    EDGEMOE_CHECK(rows.size() == bytes, "whole rows");
    EDGEMOE_RETURN_IF_ERROR(visit(rows, first));
  }
  return OkStatus();
}

}  // namespace edgemoe
