// SPDX-License-Identifier: Apache-2.0
#include "engine/io/read_fully.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/system/aligned_buffer.h"
#include "engine/io/read_progress.h"

namespace edgemoe {
namespace {

// Waits until the request is done by the rules of ReadProgress.
Status ReadBlocking(const StorageFile& file, const ReadRequest& request) {
  ReadProgress progress(request);
  for (;;) {
    const ssize_t got = ::pread(file.fd(), progress.destination(), progress.bytes(),
                                static_cast<off_t>(progress.offset()));
    if (progress.OnResult(got < 0 ? -std::int64_t{errno} : got) != ReadProgress::Next::kAgain)
      return progress.StatusFor(file.path());
  }
}

}  // namespace

Status ReadFully(const StorageFile& file, std::uint64_t offset, std::span<std::byte> destination) {
  if (destination.empty()) return OkStatus();
  if (offset > file.bytes() || destination.size() > file.bytes() - offset)
    return DataLossError("read: " + file.path() + ": the file has " + std::to_string(file.bytes()) +
                         " bytes, wanted " + std::to_string(destination.size()) + " at offset " +
                         std::to_string(offset));
  EDGEMOE_ASSIGN_OR_RETURN(
      const AlignedBuffer bounce,
      AlignedBuffer::Allocate(std::min(kBounceBytes, destination.size() + 2 * kReadAlignment)));
  while (!destination.empty()) {
    const std::uint64_t block = AlignDown(offset, kReadAlignment);
    const auto skip = static_cast<std::size_t>(offset - block);
    const std::size_t wanted = std::min(destination.size(), bounce.bytes() - skip);
    const std::size_t needed = skip + wanted;
    EDGEMOE_RETURN_IF_ERROR(
        ReadBlocking(file, {.offset = block,
                            .destination = bounce.data(),
                            .bytes = static_cast<std::uint32_t>(AlignUp(needed, kReadAlignment)),
                            .bytes_needed = static_cast<std::uint32_t>(needed)}));
    std::memcpy(destination.data(), bounce.data() + skip, wanted);
    if (!file.direct())
      ::posix_fadvise(file.fd(), static_cast<off_t>(block), static_cast<off_t>(needed),
                      POSIX_FADV_DONTNEED);
    destination = destination.subspan(wanted);
    offset += wanted;
  }
  return OkStatus();
}

}  // namespace edgemoe
