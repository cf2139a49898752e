// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/slot_slab.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

// The slot sizes come from a file: their sum may be anything.
bool AddressBytes(const SlotClasses& classes, std::size_t& bytes) {
  bytes = 0;
  for (const SlotClass& c : classes.classes) {
    std::size_t of_class = 0;
    if (__builtin_mul_overflow(c.slot_bytes, c.expert_count, &of_class) ||
        __builtin_add_overflow(of_class, classes.page_bytes - 1, &of_class) ||
        __builtin_add_overflow(bytes, AlignDown(of_class, classes.page_bytes), &bytes))
      return false;
  }
  return true;
}

Status NoMemory(const char* what, std::uint64_t bytes, int error) {
  return ErrnoStatus(error, std::string("expert slab: ") + what + " of " + FormatByteSize(bytes));
}

// Not through the C library: sanitizers replace its munlock by nothing, but not its mlock2.
void Unlock(std::span<std::byte> memory) { ::syscall(SYS_munlock, memory.data(), memory.size()); }

}  // namespace

Result<SlotSlab> SlotSlab::Create(const SlotClasses& classes, std::uint64_t bytes) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<std::uint32_t> counts, DivideSlots(classes, bytes));
  SlotSlab slab;
  std::size_t address_bytes = 0;
  if (!AddressBytes(classes, address_bytes))
    return Failure(ResourceExhaustedError("expert slab: the model's experts exceed the addresses"));
  if (address_bytes == 0) return slab;  // of a model without experts
  void* addresses =
      ::mmap(nullptr, address_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (addresses == MAP_FAILED) return Failure(NoMemory("addresses", address_bytes, errno));
  slab.addresses_ = static_cast<std::byte*>(addresses);
  slab.address_bytes_ = address_bytes;
  ::madvise(addresses, address_bytes, MADV_HUGEPAGE);

  std::byte* begin = slab.addresses_;
  for (const SlotClass& from : classes.classes) {
    Class& c = slab.classes_.emplace_back();
    c.slot_bytes = from.slot_bytes;
    c.page_bytes = classes.page_bytes;
    c.begin = begin;
    c.first_slot = static_cast<std::uint32_t>(slab.class_of_.size());
    c.slot_count_max = from.expert_count;
    c.free.reserve(c.slot_count_max);
    slab.class_of_.insert(slab.class_of_.end(), c.slot_count_max,
                          static_cast<std::uint8_t>(slab.classes_.size() - 1));
    begin += classes.MemoryBytes(from, c.slot_count_max);
  }
  slab.taken_.resize(slab.class_of_.size());
  EDGEMOE_FAIL_IF_ERROR(slab.Resize(counts, nullptr));
  EDGEMOE_CHECK(slab.committed_bytes() <= bytes, "slots divided beyond the budget");
  return slab;
}

SlotSlab::SlotSlab(SlotSlab&& other) noexcept { *this = std::move(other); }

SlotSlab& SlotSlab::operator=(SlotSlab&& other) noexcept {
  std::swap(addresses_, other.addresses_);
  std::swap(address_bytes_, other.address_bytes_);
  std::swap(locked_, other.locked_);
  std::swap(classes_, other.classes_);
  std::swap(class_of_, other.class_of_);
  std::swap(taken_, other.taken_);
  return *this;
}

SlotSlab::~SlotSlab() {
  if (addresses_ != nullptr) ::munmap(addresses_, address_bytes_);
}

Status SlotSlab::Resize(std::span<const std::uint32_t> slot_counts, const OnMoved& moved) {
  EDGEMOE_CHECK(slot_counts.size() == classes_.size(), "a count for each class");
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    Class& c = classes_[i];
    EDGEMOE_CHECK(slot_counts[i] <= c.slot_count_max, "more slots than experts");
    if (slot_counts[i] >= c.slot_count) continue;
    MoveBelow(c, slot_counts[i], moved);
    Shrink(c, slot_counts[i]);
  }
  Status status;
  std::vector<std::uint32_t> counts_before;
  for (std::size_t i = 0; i < classes_.size() && status.ok(); ++i) {
    counts_before.push_back(classes_[i].slot_count);
    if (slot_counts[i] > classes_[i].slot_count) status = Grow(classes_[i], slot_counts[i]);
  }
  if (!status.ok()) {
    for (std::size_t i = 0; i < counts_before.size(); ++i) Shrink(classes_[i], counts_before[i]);
  }
  for (Class& c : classes_) ListFree(c);
  return status;
}

std::span<std::byte> SlotSlab::Slots(const Class& c, std::uint32_t begin, std::uint32_t end) const {
  return {c.begin + begin * c.slot_bytes, (end - begin) * c.slot_bytes};
}

// Behind the memory of the first `begin` slots, up to the end of the memory of the first `end`.
std::span<std::byte> SlotSlab::Pages(const Class& c, std::uint32_t begin, std::uint32_t end) const {
  return {c.begin + AlignUp(begin * c.slot_bytes, c.page_bytes),
          c.begin + AlignUp(end * c.slot_bytes, c.page_bytes)};
}

void SlotSlab::MoveBelow(Class& c, std::uint32_t slot_count, const OnMoved& moved) {
  std::uint32_t to = 0;
  for (std::uint32_t from = slot_count; from < c.slot_count; ++from) {
    if (!taken_[c.first_slot + from]) continue;
    while (to < slot_count && taken_[c.first_slot + to]) ++to;
    EDGEMOE_CHECK(to < slot_count, "more slots are taken than are to stay");
    const std::span<std::byte> bytes = Slots(c, from, from + 1);
    std::memcpy(Slots(c, to, to + 1).data(), bytes.data(), bytes.size());
    taken_[c.first_slot + from] = false;
    taken_[c.first_slot + to] = true;
    moved(SlotIndex{c.first_slot + from}, SlotIndex{c.first_slot + to});
  }
}

void SlotSlab::Shrink(Class& c, std::uint32_t slot_count) {
  if (slot_count >= c.slot_count) return;
  const std::span<std::byte> gone = Pages(c, slot_count, c.slot_count);
  c.slot_count = slot_count;
  if (gone.empty()) return;
  // Locked pages cannot be given back.
  if (locked_) Unlock(gone);
  EDGEMOE_CHECK(::madvise(gone.data(), gone.size(), MADV_DONTNEED) == 0,
                "memory cannot be given back");
  // Where even this fails (too many mappings) the pages are gone all the same.
  ::mprotect(gone.data(), gone.size(), PROT_NONE);
}

Status SlotSlab::Grow(Class& c, std::uint32_t slot_count) {
  const std::span<std::byte> more = Pages(c, c.slot_count, slot_count);
  if (!more.empty() && ::mprotect(more.data(), more.size(), PROT_READ | PROT_WRITE) != 0)
    return NoMemory("memory", more.size(), errno);
  c.slot_count = slot_count;
  if (locked_ && !more.empty()) ::mlock2(more.data(), more.size(), MLOCK_ONFAULT);
  return OkStatus();
}

void SlotSlab::ListFree(Class& c) {
  c.free.clear();
  // Taken from the back: lowest addresses first.
  for (std::uint32_t slot = c.first_slot + c.slot_count; slot > c.first_slot; --slot)
    if (!taken_[slot - 1]) c.free.push_back(SlotIndex{slot - 1});
}

std::vector<std::span<std::byte>> SlotSlab::regions() const {
  std::vector<std::span<std::byte>> regions;
  for (const Class& c : classes_)
    if (c.slot_count > 0) regions.push_back(Slots(c, 0, c.slot_count));
  return regions;
}

std::uint64_t SlotSlab::committed_bytes() const {
  std::uint64_t bytes = 0;
  for (const Class& c : classes_) bytes += Pages(c, 0, c.slot_count).size();
  return bytes;
}

bool SlotSlab::TryLock() {
  locked_ = true;
  for (const std::span<std::byte> region : regions())
    locked_ = ::mlock2(region.data(), region.size(), MLOCK_ONFAULT) == 0 && locked_;
  if (locked_) return true;
  // Memory that is locked in part would have to be unlocked before it is given back.
  for (const std::span<std::byte> region : regions()) Unlock(region);
  return false;
}

std::uint32_t SlotSlab::slot_count() const {
  std::uint32_t count = 0;
  for (const Class& c : classes_) count += c.slot_count;
  return count;
}

bool SlotSlab::TryTake(std::uint8_t slot_class, SlotIndex& slot) {
  std::vector<SlotIndex>& free = classes_[slot_class].free;
  if (free.empty()) return false;
  slot = free.back();
  free.pop_back();
  EDGEMOE_CHECK(!taken_[slot.value], "a free slot was taken");
  taken_[slot.value] = true;
  return true;
}

void SlotSlab::Free(SlotIndex slot) {
  EDGEMOE_CHECK(taken_[slot.value], "slot freed twice");
  taken_[slot.value] = false;
  classes_[class_of_[slot.value]].free.push_back(slot);
}

std::span<std::byte> SlotSlab::BytesOf(SlotIndex slot) const {
  const Class& c = classes_[class_of_[slot.value]];
  const std::uint32_t index = slot.value - c.first_slot;
  return Slots(c, index, index + 1);
}

}  // namespace edgemoe
