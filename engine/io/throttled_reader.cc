// SPDX-License-Identifier: Apache-2.0
#include "engine/io/throttled_reader.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

void SleepReally(std::uint64_t nanoseconds) {
  std::this_thread::sleep_for(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace

ThrottledReader::ThrottledReader(std::unique_ptr<BlockReader> inner, Options options)
    : inner_(std::move(inner)),
      options_(std::move(options)),
      slots_(inner_->depth()),
      queue_(inner_->depth()),
      inner_completions_(inner_->depth()) {
  EDGEMOE_CHECK(options_.clock != nullptr, "no clock");
  if (!options_.sleep) options_.sleep = SleepReally;
  free_.reserve(slots_.size());
  for (std::size_t slot = slots_.size(); slot > 0; --slot)
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

bool ThrottledReader::TrySubmit(const ReadRequest& request) {
  if (free_.empty()) return false;
  ReadRequest tagged = request;
  tagged.tag = free_.back();
  if (!inner_->TrySubmit(tagged)) return false;
  Slot& slot = slots_[free_.back()];
  busy_until_ns_ = std::max(busy_until_ns_, options_.clock->NowNs()) + TransferNs(request.bytes);
  slot.tag = request.tag;
  slot.due_ns = busy_until_ns_ + options_.latency_ns;
  slot.landed = false;
  queue_.Push(free_.back());
  free_.pop_back();
  return true;
}

std::uint64_t ThrottledReader::TransferNs(std::uint64_t bytes) const {
  if (options_.bytes_per_second == 0) return 0;
  // At most 2^30 bytes a request: no overflow.
  return bytes * kNsPerSecond / options_.bytes_per_second;
}

std::size_t ThrottledReader::Poll(std::span<ReadCompletion> completions) {
  Collect(inner_->Poll(inner_completions_));
  const std::uint64_t now_ns = options_.clock->NowNs();
  std::size_t count = 0;
  while (count < completions.size() && !queue_.empty()) {
    const std::uint32_t index = queue_.At(0);
    Slot& slot = slots_[index];
    if (!slot.landed || slot.due_ns > now_ns) break;
    completions[count] = std::move(slot.completion);
    completions[count].tag = slot.tag;
    ++count;
    queue_.Pop();
    free_.push_back(index);
  }
  return count;
}

std::size_t ThrottledReader::Wait(std::span<ReadCompletion> completions) {
  EDGEMOE_CHECK(!completions.empty(), "no room for a completion");
  if (queue_.empty()) return 0;
  for (;;) {
    if (const std::size_t count = Poll(completions); count > 0) return count;
    const Slot& first = slots_[queue_.At(0)];
    if (!first.landed) {
      Collect(inner_->Wait(inner_completions_));
      continue;
    }
    const std::uint64_t now_ns = options_.clock->NowNs();
    if (first.due_ns > now_ns) options_.sleep(first.due_ns - now_ns);
  }
}

void ThrottledReader::Collect(std::size_t landed_count) {
  for (std::size_t i = 0; i < landed_count; ++i) {
    Slot& slot = slots_[inner_completions_[i].tag];
    slot.completion = std::move(inner_completions_[i]);
    slot.landed = true;
  }
}

}  // namespace edgemoe
