// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "engine/base/result.h"

namespace edgemoe {

constexpr std::size_t AlignUp(std::size_t value, std::size_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}
constexpr std::size_t AlignDown(std::size_t value, std::size_t alignment) {
  return value / alignment * alignment;
}

// Anonymous, zeroed, page-aligned memory, mapped once and unmapped by the destructor.
// Thread-compatible.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;
  ~AlignedBuffer();

  // Maps `bytes` (rounded up to pages), asks for huge pages where that is worth it.
  // RESOURCE_EXHAUSTED when the kernel refuses. `bytes` 0 gives an empty buffer.
  static Result<AlignedBuffer> Allocate(std::size_t bytes);

  // Gives the whole pages within [offset, offset + bytes) back to the system. What they held is
  // lost; they take memory again when they are written. REQUIRES: inside the buffer, not locked.
  void GiveBack(std::size_t offset, std::size_t bytes);

  // Locks the pages in memory; false where limits do not allow it (harmless).
  bool TryLock();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::span<std::byte> span() const { return {data_, bytes_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace edgemoe
