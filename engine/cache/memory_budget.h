// SPDX-License-Identifier: Apache-2.0
//
// The one number that covers all of the engine's memory, and who has how much of it. The budget
// only counts; what is reserved is allocated by its owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/result.h"

namespace edgemoe {

class MemoryBudget;

// Memory that has been promised to one purpose, given back by the destructor. Empty after a move.
// Thread-compatible.
class MemoryReservation {
 public:
  MemoryReservation() = default;
  MemoryReservation(MemoryReservation&& other) noexcept;
  MemoryReservation& operator=(MemoryReservation&& other) noexcept;
  ~MemoryReservation();

  std::uint64_t bytes() const { return bytes_; }

  // Grows or shrinks. RESOURCE_EXHAUSTED, with nothing changed, when less is left.
  Status Resize(std::uint64_t bytes);

 private:
  friend class MemoryBudget;
  MemoryReservation(MemoryBudget* budget, std::size_t entry, std::uint64_t bytes)
      : budget_(budget), entry_(entry), bytes_(bytes) {}

  void Release();

  MemoryBudget* budget_ = nullptr;
  std::size_t entry_ = 0;
  std::uint64_t bytes_ = 0;
};

// Invariants:
//   1. The sum of all reservations never exceeds `total_bytes`: one that would exceed it is
//      refused.
//   2. It is 0 again when the last reservation is gone, and only then may the budget go.
// Thread-safe.
class MemoryBudget {
 public:
  struct Entry {
    std::string name;
    std::uint64_t bytes = 0;
  };

  explicit MemoryBudget(std::uint64_t total_bytes) : total_bytes_(total_bytes) {}
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // `name` is for messages and statistics ("dense weights"); one name may be reserved several
  // times. RESOURCE_EXHAUSTED names what was asked for, what is left and who holds the rest.
  Result<MemoryReservation> Reserve(std::string_view name, std::uint64_t bytes) EXCLUDES(mutex_);

  // RESOURCE_EXHAUSTED, with nothing changed, below what is reserved; names who holds it.
  Status Resize(std::uint64_t total_bytes) EXCLUDES(mutex_);

  std::uint64_t total_bytes() const EXCLUDES(mutex_);
  std::uint64_t left_bytes() const EXCLUDES(mutex_);
  // What is held, by name, in the order of first asking; 0 bytes where all was given back.
  std::vector<Entry> entries() const EXCLUDES(mutex_);

 private:
  friend class MemoryReservation;
  Status Change(std::size_t entry, std::uint64_t from_bytes, std::uint64_t to_bytes)
      EXCLUDES(mutex_);
  Status ChangeLocked(std::size_t entry, std::uint64_t from_bytes, std::uint64_t to_bytes)
      REQUIRES(mutex_);
  // "; dense weights holds 12 MiB; ..."
  std::string HoldersLocked() const REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::uint64_t total_bytes_ GUARDED_BY(mutex_);
  std::uint64_t reserved_bytes_ GUARDED_BY(mutex_) = 0;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);  // one a name; few
};

}  // namespace edgemoe
