// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/memory_budget.h"

#include <algorithm>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"

namespace edgemoe {

MemoryReservation::MemoryReservation(MemoryReservation&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      entry_(other.entry_),
      bytes_(std::exchange(other.bytes_, 0)) {}

MemoryReservation& MemoryReservation::operator=(MemoryReservation&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    entry_ = other.entry_;
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

MemoryReservation::~MemoryReservation() { Release(); }

Status MemoryReservation::Resize(std::uint64_t bytes) {
  EDGEMOE_CHECK(budget_ != nullptr, "an empty reservation has no budget");
  EDGEMOE_RETURN_IF_ERROR(budget_->Change(entry_, bytes_, bytes));
  bytes_ = bytes;
  return OkStatus();
}

void MemoryReservation::Release() {
  if (budget_ == nullptr) return;
  const Status status = budget_->Change(entry_, bytes_, 0);
  EDGEMOE_CHECK(status.ok(), "giving back cannot fail");
  budget_ = nullptr;
  bytes_ = 0;
}

MemoryBudget::~MemoryBudget() {
  EDGEMOE_CHECK(left_bytes() == total_bytes(), "a reservation outlives its budget");
}

Result<MemoryReservation> MemoryBudget::Reserve(std::string_view name, std::uint64_t bytes) {
  MutexLock lock(mutex_);
  auto entry = std::ranges::find(entries_, name, &Entry::name);
  if (entry == entries_.end()) entry = entries_.insert(entry, {std::string(name), 0});
  const auto index = static_cast<std::size_t>(entry - entries_.begin());
  EDGEMOE_FAIL_IF_ERROR(ChangeLocked(index, 0, bytes));
  return MemoryReservation(this, index, bytes);
}

Status MemoryBudget::Resize(std::uint64_t total_bytes) {
  MutexLock lock(mutex_);
  if (total_bytes < reserved_bytes_)
    return ResourceExhaustedError("memory budget: asked for " + FormatByteSize(total_bytes) +
                                  ", reserved are " + FormatByteSize(reserved_bytes_) +
                                  HoldersLocked());
  total_bytes_ = total_bytes;
  return OkStatus();
}

std::uint64_t MemoryBudget::total_bytes() const {
  MutexLock lock(mutex_);
  return total_bytes_;
}

std::uint64_t MemoryBudget::left_bytes() const {
  MutexLock lock(mutex_);
  return total_bytes_ - reserved_bytes_;
}

std::vector<MemoryBudget::Entry> MemoryBudget::entries() const {
  MutexLock lock(mutex_);
  return entries_;
}

Status MemoryBudget::Change(std::size_t entry, std::uint64_t from_bytes, std::uint64_t to_bytes) {
  MutexLock lock(mutex_);
  return ChangeLocked(entry, from_bytes, to_bytes);
}

Status MemoryBudget::ChangeLocked(std::size_t entry, std::uint64_t from_bytes,
                                  std::uint64_t to_bytes) {
  EDGEMOE_CHECK(entries_[entry].bytes >= from_bytes, "more given back than reserved");
  const std::uint64_t others_bytes = reserved_bytes_ - from_bytes;
  const std::uint64_t left_bytes = total_bytes_ - others_bytes;
  if (to_bytes > left_bytes) {
    return ResourceExhaustedError("memory budget: " + entries_[entry].name + ": asked for " +
                                  FormatByteSize(to_bytes) + ", left " +
                                  FormatByteSize(left_bytes) + " of " +
                                  FormatByteSize(total_bytes_) + HoldersLocked());
  }
  reserved_bytes_ = others_bytes + to_bytes;
  entries_[entry].bytes += to_bytes - from_bytes;
  return OkStatus();
}

std::string MemoryBudget::HoldersLocked() const {
  std::string holders;
  for (const Entry& held : entries_)
    if (held.bytes > 0) holders += "; " + held.name + " holds " + FormatByteSize(held.bytes);
  return holders;
}

}  // namespace edgemoe
