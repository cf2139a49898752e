// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/aligned_buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/system/errno_status.h"
#include "engine/base/system/page_size.h"

namespace edgemoe {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) ::munmap(data_, bytes_);
    data_ = std::exchange(other.data_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

AlignedBuffer::~AlignedBuffer() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

Result<AlignedBuffer> AlignedBuffer::Allocate(std::size_t bytes) {
  AlignedBuffer buffer;
  if (bytes == 0) return buffer;
  if (bytes > std::numeric_limits<std::size_t>::max() - PageBytes())
    return Failure(ResourceExhaustedError("memory: " + std::to_string(bytes) + " bytes asked for"));
  const std::size_t rounded = AlignUp(bytes, PageBytes());
  void* address =
      ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED)
    return Failure(ErrnoStatus(errno, "memory: mmap of " + std::to_string(rounded) + " bytes"));
  if (rounded >= kHugePageBytes) ::madvise(address, rounded, MADV_HUGEPAGE);
  buffer.data_ = static_cast<std::byte*>(address);
  buffer.bytes_ = rounded;
  return buffer;
}

void AlignedBuffer::GiveBack(std::size_t offset, std::size_t bytes) {
  const std::size_t begin = AlignUp(offset, PageBytes());
  const std::size_t end = AlignDown(offset + bytes, PageBytes());
  // A kernel that refuses keeps the memory: what is in it does not matter to anybody.
  if (begin < end) ::madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

bool AlignedBuffer::TryLock() { return data_ == nullptr || ::mlock(data_, bytes_) == 0; }

}  // namespace edgemoe
