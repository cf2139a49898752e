// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/loader.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::array<const char*, kExpertRoleCount> kRoleNames{"gate", "up", "down"};

// A read's tag tells its load and which request of the load it is.
constexpr std::uint64_t TagOf(std::uint32_t load, std::uint32_t ordinal) {
  return std::uint64_t{ordinal} << 32 | load;
}
constexpr std::uint32_t LoadOf(std::uint64_t tag) { return static_cast<std::uint32_t>(tag); }
constexpr std::uint32_t OrdinalOf(std::uint64_t tag) {
  return static_cast<std::uint32_t>(tag >> 32);
}

// The matrices that bytes [begin, end) of the slot belong to, as "gate and up".
std::string RolesWithin(const ExpertReads& plan, const ExpertExtents& extents, std::uint64_t begin,
                        std::uint64_t end) {
  std::string names;
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    const std::uint64_t matrix_begin = plan.matrix_offsets[role];
    const std::uint64_t matrix_end = matrix_begin + extents[role].bytes;
    if (matrix_begin >= end || matrix_end <= begin) continue;
    if (!names.empty()) names += " and ";
    names += kRoleNames[role];
  }
  return names;
}

}  // namespace

ExpertLoader::ExpertLoader(const ExpertLayout& layout, BlockReader* reader, ExpertCache* cache,
                           const ExpertLoaderOptions& options)
    : layout_(layout),
      reader_(reader),
      cache_(cache),
      options_(options),
      loads_(reader->depth() + 2),
      completions_(reader->depth()) {
  EDGEMOE_CHECK(options.request_bytes_max > 0 && options.request_bytes_max % kReadAlignment == 0 &&
                    options.request_bytes_max <= kReadBytesMax,
                "request_bytes_max is not a number of blocks");
  EDGEMOE_CHECK(
      options.read_ahead_bytes_max > 0 && options.read_ahead_bytes_max % kReadAlignment == 0,
      "read_ahead_bytes_max is not a number of blocks");
  EDGEMOE_CHECK(cache->classes().layer_count == layout.layer_count &&
                    cache->classes().experts_per_layer == layout.experts_per_layer,
                "cache and layout are of different models");
  free_.reserve(loads_.size());
  for (std::size_t load = loads_.size(); load > 0; --load)
    free_.push_back(static_cast<std::uint32_t>(load - 1));
  unissued_.reserve(loads_.size());
  ended_.reserve(loads_.size());
}

ExpertLoader::~ExpertLoader() {
  CancelReadAhead();
  EndedLoad ended;
  while (!idle()) {
    Issue();
    Reap(/*wait=*/true);
    while (TakeEnded(ended)) ended.pin.Reset();
  }
}

bool ExpertLoader::CanStart(LoadUrgency urgency) const {
  if (free_.empty() || reader_->in_flight() == reader_->depth()) return false;
  for (const std::uint32_t index : unissued_)
    if (loads_[index].urgency == LoadUrgency::kDemand) return false;
  if (urgency == LoadUrgency::kDemand) return true;
  return unissued_.empty() && demand_count_ == 0 &&
         read_ahead_in_flight_bytes_ < options_.read_ahead_bytes_max;
}

bool ExpertLoader::TryStart(ExpertKey key, LoadUrgency urgency) {
  EDGEMOE_CHECK(CanStart(urgency), "the reader has no room for another load");
  const std::span<std::byte> slot = cache_->TryReserve(key);
  if (slot.empty()) return false;
  const std::uint32_t index = free_.back();
  free_.pop_back();
  const bool guess = urgency == LoadUrgency::kReadAhead;
  loads_[index] = {
      .active = true,
      .began_as_guess = guess,
      .urgency = urgency,
      .key = key,
      .slot = slot,
      .plan = LayOutReads(layout_.of(key)),
      .request_bytes = guess ? std::min(options_.request_bytes_max, options_.read_ahead_bytes_max)
                             : options_.request_bytes_max,
      .status = OkStatus()};
  EDGEMOE_CHECK(loads_[index].plan.slot_bytes <= slot.size(), "slot too small for its expert");
  if (!guess) ++demand_count_;
  if (!IssueReads(index)) unissued_.push_back(index);
  return true;
}

std::uint32_t ExpertLoader::Find(ExpertKey key) const {
  for (std::uint32_t load = 0; load < loads_.size(); ++load)
    if (loads_[load].active && loads_[load].key == key) return load;
  EDGEMOE_CHECK(false, "somebody else reserves in this cache");
  return 0;
}

void ExpertLoader::Promote(ExpertKey key) {
  const std::uint32_t index = Find(key);
  Load& load = loads_[index];
  if (load.urgency == LoadUrgency::kDemand) return;
  load.urgency = LoadUrgency::kDemand;
  ++demand_count_;
  if (load.cancelled && !WhollyIssued(load)) unissued_.push_back(index);
  load.cancelled = false;
}

void ExpertLoader::CancelReadAhead() {
  std::size_t kept = 0;
  for (const std::uint32_t index : unissued_) {
    Load& load = loads_[index];
    if (load.urgency == LoadUrgency::kDemand) {
      unissued_[kept++] = index;
      continue;
    }
    load.cancelled = true;
    if (load.pending_reads == 0) End(index);
  }
  unissued_.resize(kept);
}

void ExpertLoader::Issue() {
  for (const LoadUrgency urgency : {LoadUrgency::kDemand, LoadUrgency::kReadAhead}) {
    std::size_t kept = 0;
    for (const std::uint32_t index : unissued_) {
      if (loads_[index].urgency != urgency || !IssueReads(index)) unissued_[kept++] = index;
    }
    unissued_.resize(kept);
  }
  reader_->Flush();
}

bool ExpertLoader::WhollyIssued(const Load& load) const {
  // After a failure the rest is not worth reading.
  return load.next_run == load.plan.run_count || !load.status.ok();
}

bool ExpertLoader::IssueReads(std::uint32_t index) {
  Load& load = loads_[index];
  const bool guess = load.urgency == LoadUrgency::kReadAhead;
  while (!WhollyIssued(load)) {
    const ReadRun& run = load.plan.runs[load.next_run];
    const auto bytes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(load.request_bytes, run.bytes - load.next_in_run));
    if (guess && (demand_count_ > 0 ||
                  (read_ahead_in_flight_bytes_ > 0 &&
                   read_ahead_in_flight_bytes_ + bytes > options_.read_ahead_bytes_max))) {
      return false;
    }
    const ReadRequest request{.file_index = run.file_index,
                              .offset = run.offset + load.next_in_run,
                              .destination = load.slot.data() + run.slot_offset + load.next_in_run,
                              .bytes = bytes,
                              .bytes_needed = static_cast<std::uint32_t>(std::min<std::uint64_t>(
                                  bytes, run.bytes_needed - load.next_in_run)),
                              .tag = TagOf(index, load.issued_reads)};
    if (!reader_->TrySubmit(request)) return false;
    ++load.issued_reads;
    ++load.pending_reads;
    if (guess) {
      ++load.guess_reads;
      read_ahead_in_flight_bytes_ += bytes;
    }
    load.next_in_run += bytes;
    if (load.next_in_run == run.bytes) {
      ++load.next_run;
      load.next_in_run = 0;
    }
  }
  return true;
}

void ExpertLoader::Reap(bool wait) {
  const std::size_t count = wait ? reader_->Wait(completions_) : reader_->Poll(completions_);
  for (std::size_t i = 0; i < count; ++i) OnRead(completions_[i]);
}

void ExpertLoader::OnRead(const ReadCompletion& completion) {
  const std::uint32_t index = LoadOf(completion.tag);
  const std::uint32_t ordinal = OrdinalOf(completion.tag);
  Load& load = loads_[index];
  EDGEMOE_CHECK(load.active && load.pending_reads > 0, "a read that nobody waits for");
  --load.pending_reads;
  bytes_read_ += completion.bytes_read;
  if (ordinal < load.guess_reads) read_ahead_in_flight_bytes_ -= RequestOf(load, ordinal).bytes;
  if (!completion.status.ok() && load.status.ok())
    load.status = FailureOf(load, ordinal, completion.status);
  if (load.pending_reads > 0 || !(load.cancelled || WhollyIssued(load))) return;
  std::erase(unissued_, index);
  End(index);
}

void ExpertLoader::End(std::uint32_t index) {
  Load& load = loads_[index];
  if (load.cancelled && !WhollyIssued(load)) load.status = CancelledError("read-ahead given up");
  if (options_.verifier != nullptr) {
    if (load.status.ok())
      load.status = options_.verifier->Verify(load.key, load.slot, load.plan);
    else if (load.status.code() != StatusCode::kCancelled)
      options_.verifier->NoteReadFailure(load.key);
  }
  ExpertPin pin;
  if (load.status.ok()) {
    pin = cache_->Complete(load.key);
  } else {
    cache_->Fail(load.key);
  }
  if (load.urgency == LoadUrgency::kDemand) --demand_count_;
  load.active = false;
  free_.push_back(index);
  ended_.push_back({.key = load.key,
                    .began_as_guess = load.began_as_guess,
                    .pin = std::move(pin),
                    .status = std::move(load.status)});
}

bool ExpertLoader::TakeEnded(EndedLoad& ended) {
  if (ended_next_ == ended_.size()) {
    ended_.clear();
    ended_next_ = 0;
    return false;
  }
  ended = std::move(ended_[ended_next_++]);
  return true;
}

ExpertLoader::RequestPlace ExpertLoader::RequestOf(const Load& load, std::uint32_t ordinal) const {
  for (std::size_t i = 0; i < load.plan.run_count; ++i) {
    const ReadRun& run = load.plan.runs[i];
    const auto requests =
        static_cast<std::uint32_t>((run.bytes + load.request_bytes - 1) / load.request_bytes);
    if (ordinal < requests) {
      const std::uint64_t begin = std::uint64_t{ordinal} * load.request_bytes;
      return {run.slot_offset + begin,
              std::min<std::uint64_t>(load.request_bytes, run.bytes - begin)};
    }
    ordinal -= requests;
  }
  EDGEMOE_CHECK(false, "the load has no such request");
  return {};
}

Status ExpertLoader::FailureOf(const Load& load, std::uint32_t ordinal, const Status& cause) const {
  const RequestPlace place = RequestOf(load, ordinal);
  const std::string roles = RolesWithin(load.plan, layout_.of(load.key), place.slot_offset,
                                        place.slot_offset + place.bytes);
  return DataLossError("expert " + std::to_string(load.key.expert.value) + " of layer " +
                       std::to_string(load.key.layer.value) + ", " + roles + ": " +
                       cause.message());
}

}  // namespace edgemoe
