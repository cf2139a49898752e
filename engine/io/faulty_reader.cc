// SPDX-License-Identifier: Apache-2.0
#include "engine/io/faulty_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"

namespace edgemoe {
namespace {

constexpr int kGarbage = 0xdb;

std::string What(const ReadRequest& request) {
  return "read: file " + std::to_string(request.file_index) + " at offset " +
         std::to_string(request.offset) + ": ";
}

bool Covers(const FaultRule& rule, const ReadRequest& request, std::uint64_t ordinal) {
  constexpr auto kAnyFile = std::numeric_limits<std::uint32_t>::max();
  return ordinal >= rule.after && request.offset < rule.offset_end &&
         request.offset + request.bytes > rule.offset_begin &&
         (rule.file_index == kAnyFile || rule.file_index == request.file_index);
}

}  // namespace

FaultyReader::FaultyReader(std::unique_ptr<BlockReader> inner, FaultSchedule schedule)
    : inner_(std::move(inner)),
      schedule_(std::move(schedule)),
      rule_hits_(schedule_.rules.size()),
      random_(schedule_.seed),
      slots_(inner_->depth()),
      inner_completions_(inner_->depth()) {
  for (const FaultRule& rule : schedule_.rules)
    EDGEMOE_CHECK(!rule.expert, "readers know files, not experts");
  free_.reserve(slots_.size());
  finished_.reserve(slots_.size());
  for (std::size_t slot = slots_.size(); slot > 0; --slot)
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

bool FaultyReader::TrySubmit(const ReadRequest& request) {
  if (free_.empty()) return false;
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.request = request;
  slot.first_piece_bytes = request.bytes;
  const FaultRule* rule = Match(request);
  ++request_count_;
  if (rule == nullptr) {
    StartPiece(index, 0, request.bytes);
    return true;
  }
  ++fault_count_;
  switch (rule->kind) {
    case FaultKind::kIoError:
      std::memset(request.destination, kGarbage, request.bytes);
      Finish(index, DataLossError(What(request) + "Input/output error (injected)"), 0);
      break;
    case FaultKind::kUnavailable:
      Finish(index, UnavailableError(What(request) + "still busy after retries (injected)"), 0);
      break;
    case FaultKind::kEndOfFile:
      std::memset(request.destination, kGarbage, request.bytes);
      Finish(index, DataLossError(What(request) + "the file ends too early (injected)"),
             request.bytes_needed - std::min<std::uint32_t>(request.bytes_needed, kReadAlignment));
      break;
    case FaultKind::kShortRead:
      slot.first_piece_bytes =
          static_cast<std::uint32_t>(AlignUp(request.bytes / 2, kReadAlignment));
      StartPiece(index, 0, slot.first_piece_bytes);
      break;
  }
  return true;
}

const FaultRule* FaultyReader::Match(const ReadRequest& request) {
  for (std::size_t i = 0; i < schedule_.rules.size(); ++i) {
    const FaultRule& rule = schedule_.rules[i];
    if (rule_hits_[i] >= rule.count_max || !Covers(rule, request, request_count_)) continue;
    if (rule.probability < 1.0 && random_.NextUnit() >= rule.probability) continue;
    ++rule_hits_[i];
    return &rule;
  }
  return nullptr;
}

void FaultyReader::StartPiece(std::uint32_t index, std::uint32_t begin, std::uint32_t end) {
  Slot& slot = slots_[index];
  const bool last = end == slot.request.bytes;
  slot.stage = last ? Stage::kLastPiece : Stage::kFirstPiece;
  ReadRequest piece = slot.request;
  piece.tag = index;
  piece.offset += begin;
  piece.destination += begin;
  piece.bytes = end - begin;
  piece.bytes_needed = std::min(std::max(slot.request.bytes_needed, begin), end) - begin;
  // The inner reader has as many slots as we, and each of ours has one piece there.
  EDGEMOE_CHECK(inner_->TrySubmit(piece), "the inner reader has fewer slots than it said");
}

std::size_t FaultyReader::Poll(std::span<ReadCompletion> completions) {
  Collect(/*wait=*/false);
  Age();
  return Deliver(completions, /*force=*/false);
}

std::size_t FaultyReader::Wait(std::span<ReadCompletion> completions) {
  EDGEMOE_CHECK(!completions.empty(), "no room for a completion");
  if (in_flight() == 0) return 0;
  while (finished_.empty()) Collect(/*wait=*/true);
  Age();
  // Withholding until others finish is only possible while there are others.
  while (inner_->in_flight() > 0) {
    if (const std::size_t count = Deliver(completions, /*force=*/false); count > 0) return count;
    Collect(/*wait=*/true);
    Age();
  }
  return Deliver(completions, /*force=*/true);
}

void FaultyReader::Collect(bool wait) {
  const std::size_t count =
      wait ? inner_->Wait(inner_completions_) : inner_->Poll(inner_completions_);
  for (std::size_t i = 0; i < count; ++i) OnInner(inner_completions_[i]);
}

void FaultyReader::OnInner(const ReadCompletion& completion) {
  const auto index = static_cast<std::uint32_t>(completion.tag);
  Slot& slot = slots_[index];
  if (slot.stage == Stage::kFirstPiece && completion.status.ok() &&
      completion.bytes_read == slot.first_piece_bytes) {
    ++counters_.retries;
    StartPiece(index, slot.first_piece_bytes, slot.request.bytes);
    return;
  }
  const std::uint32_t before =
      slot.stage == Stage::kLastPiece && slot.first_piece_bytes < slot.request.bytes
          ? slot.first_piece_bytes
          : 0;
  Finish(index, completion.status, before + completion.bytes_read);
}

void FaultyReader::Finish(std::uint32_t index, Status status, std::uint32_t bytes_read) {
  Slot& slot = slots_[index];
  slot.stage = Stage::kFinished;
  ++counters_.reads;
  counters_.bytes += bytes_read;
  if (!status.ok()) ++counters_.errors;
  slot.completion = {
      .tag = slot.request.tag, .status = std::move(status), .bytes_read = bytes_read};
  slot.calls_left =
      static_cast<std::uint32_t>(random_.NextBelow(std::uint64_t{schedule_.late_calls_max} + 1));
  finished_.push_back(index);
}

void FaultyReader::Age() {
  for (const std::uint32_t index : finished_)
    if (slots_[index].calls_left > 0) --slots_[index].calls_left;
}

std::size_t FaultyReader::Deliver(std::span<ReadCompletion> completions, bool force) {
  if (schedule_.shuffle)
    for (std::size_t left = finished_.size(); left > 1; --left)
      std::swap(finished_[left - 1], finished_[random_.NextBelow(left)]);
  std::size_t count = 0;
  std::size_t kept = 0;
  for (const std::uint32_t index : finished_) {
    Slot& slot = slots_[index];
    const bool give = slot.calls_left == 0 || (force && count == 0);
    if (!give || count == completions.size()) {
      finished_[kept++] = index;
      continue;
    }
    completions[count++] = std::move(slot.completion);
    slot.stage = Stage::kFree;
    free_.push_back(index);
  }
  finished_.resize(kept);
  return count;
}

}  // namespace edgemoe
