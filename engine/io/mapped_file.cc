// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

void Unmap(const std::byte* data, std::size_t bytes) {
  if (data != nullptr) ::munmap(const_cast<std::byte*>(data), bytes);
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  EDGEMOE_ASSIGN_OR_FAIL(const StorageFile file,
                         StorageFile::Open(path, StorageFile::Caching::kKernel));
  MappedFile mapped;
  mapped.identity_ = file.identity();
  if (file.bytes() == 0) return mapped;
  if (file.bytes() > std::numeric_limits<std::size_t>::max())
    return Failure(OutOfRangeError("map: " + path + ": " + std::to_string(file.bytes()) +
                                   " bytes do not fit this machine's addresses"));
  const auto bytes = static_cast<std::size_t>(file.bytes());
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.fd(), 0);
  if (address == MAP_FAILED) return Failure(ErrnoStatus(errno, "map: " + path));
  mapped.data_ = static_cast<const std::byte*>(address);
  mapped.byte_count_ = bytes;
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      byte_count_(std::exchange(other.byte_count_, 0)),
      identity_(other.identity_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    Unmap(data_, byte_count_);
    data_ = std::exchange(other.data_, nullptr);
    byte_count_ = std::exchange(other.byte_count_, 0);
    identity_ = other.identity_;
  }
  return *this;
}

MappedFile::~MappedFile() { Unmap(data_, byte_count_); }

}  // namespace edgemoe
