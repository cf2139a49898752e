// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/check.h"

namespace edgemoe {

// First-in first-out of slot indices in a ring of fixed capacity; allocates only when made.
// Thread-compatible.
class SlotQueue {
 public:
  explicit SlotQueue(std::size_t capacity) : ring_(capacity) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // REQUIRES: fewer than `capacity` are queued.
  void Push(std::uint32_t slot) {
    EDGEMOE_CHECK(size_ < ring_.size(), "queue overflow");
    ring_[(head_ + size_) % ring_.size()] = slot;
    ++size_;
  }
  // The index-th from the front. REQUIRES: index < size().
  std::uint32_t At(std::size_t index) const {
    EDGEMOE_CHECK(index < size_, "no such entry");
    return ring_[(head_ + index) % ring_.size()];
  }
  // REQUIRES: not empty.
  std::uint32_t Pop() {
    const std::uint32_t slot = At(0);
    head_ = (head_ + 1) % ring_.size();
    --size_;
    return slot;
  }

 private:
  std::vector<std::uint32_t> ring_;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace edgemoe
