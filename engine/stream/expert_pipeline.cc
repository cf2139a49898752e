// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/expert_pipeline.h"

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
std::string RolesWithin(const ReadPlan& plan, const ExpertExtents& extents, std::uint64_t begin,
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

ExpertPipeline::ExpertPipeline(const ExpertLayout& layout, BlockReader* reader, ExpertCache* cache,
                               const Clock* clock, const ExpertPipelineOptions& options)
    : layout_(layout),
      reader_(reader),
      cache_(cache),
      clock_(clock),
      request_bytes_max_(options.request_bytes_max),
      wants_(layout.experts_per_layer),
      loads_(reader->depth()),
      completions_(reader->depth()) {
  EDGEMOE_CHECK(request_bytes_max_ > 0 && request_bytes_max_ % kReadAlignment == 0 &&
                    request_bytes_max_ <= kReadBytesMax,
                "request_bytes_max is not a number of blocks");
  EDGEMOE_CHECK(cache->classes().layer_count == layout.layer_count &&
                    cache->classes().experts_per_layer == layout.experts_per_layer,
                "cache and layout are of different models");
  pending_.reserve(wants_.size());
  ready_.reserve(wants_.size());
  free_loads_.reserve(loads_.size());
  for (std::size_t load = loads_.size(); load > 0; --load)
    free_loads_.push_back(static_cast<std::uint32_t>(load - 1));
}

ExpertPipeline::~ExpertPipeline() {
  EDGEMOE_CHECK(unreleased_count_ == 0, "destroyed with experts in use");
  Abandon();
  while (free_loads_.size() < loads_.size()) {
    Pump();
    Reap(/*wait=*/true);
  }
}

void ExpertPipeline::Begin(LayerIndex layer, std::span<const RoutedRow> rows,
                           std::span<const ExpertIndex> experts) {
  EDGEMOE_CHECK(AllGiven() && unreleased_count_ == 0, "the previous layer is not finished");
  EDGEMOE_CHECK(layer.value < layout_.layer_count, "no such layer");
  EDGEMOE_CHECK(experts.size() <= wants_.size(), "more experts than the layer has");
  Reap(/*wait=*/false);
  cache_->OnRouted(layer, rows);
  layer_ = layer;
  wants_count_ = static_cast<std::uint32_t>(experts.size());
  given_count_ = 0;
  pending_.clear();
  ready_.clear();
  ready_next_ = 0;
  for (std::uint32_t want = 0; want < wants_count_; ++want) {
    wants_[want].expert = experts[want];
    AddWant(want, layer);
  }
  Pump();
}

void ExpertPipeline::AddWant(std::uint32_t index, LayerIndex layer) {
  Want& want = wants_[index];
  const ExpertKey key{layer, want.expert};
  EDGEMOE_CHECK(
      want.expert.value < layout_.experts_per_layer && cache_->ClassOf(key) != kNoSlotClass,
      "no such expert");
  want.pin = cache_->TryPin(key);
  if (want.pin) {
    ++account_.hits;
    want.state = WantState::kReady;
    ready_.push_back(index);
  } else if (cache_->state(key) == ExpertState::kLoading) {
    Load& load = loads_[FindLoad(key)];
    EDGEMOE_CHECK(load.want == kNone, "the same expert asked for twice");
    load.want = index;
    want.state = WantState::kLoading;
  } else {
    want.state = WantState::kPending;
    pending_.push_back(index);
  }
}

std::uint32_t ExpertPipeline::FindLoad(ExpertKey key) const {
  for (std::uint32_t load = 0; load < loads_.size(); ++load)
    if (loads_[load].active && loads_[load].key == key) return load;
  EDGEMOE_CHECK(false, "somebody else reserves in this cache");
  return kNone;
}

std::size_t ExpertPipeline::NextReady(std::span<ReadyExpert> ready) {
  EDGEMOE_CHECK(!ready.empty(), "no room for an expert");
  if (AllGiven()) return 0;
  Reap(/*wait=*/false);
  Pump();
  if (ready_next_ == ready_.size()) {
    const std::uint64_t begin_ns = clock_->NowNs();
    do {
      EDGEMOE_CHECK(free_loads_.size() < loads_.size(),
                    "every slot is pinned: release before asking for more");
      Reap(/*wait=*/true);
      Pump();
    } while (ready_next_ == ready_.size());
    account_.wait_ns += clock_->NowNs() - begin_ns;
  }
  std::size_t count = 0;
  while (count < ready.size() && ready_next_ < ready_.size())
    Give(ready_[ready_next_++], ready[count++]);
  return count;
}

void ExpertPipeline::Give(std::uint32_t index, ReadyExpert& ready) {
  Want& want = wants_[index];
  const ExpertExtents& extents = layout_.of({layer_, want.expert});
  const std::byte* slot = want.pin ? want.pin.bytes().data() : nullptr;
  ready.expert = want.expert;
  ready.pin = index;
  ready.status = std::move(want.status);
  want.status = OkStatus();
  const ReadPlan plan = PlanReads(extents);
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    ready.matrices[role] = slot == nullptr ? nullptr : slot + plan.matrix_offsets[role];
    ready.types[role] = extents[role].type;
  }
  want.state = WantState::kGiven;
  ++given_count_;
  ++unreleased_count_;
  if (slot != nullptr) ++account_.experts_used;
}

void ExpertPipeline::Release(std::span<const ReadyExpert> ready) {
  for (const ReadyExpert& expert : ready) {
    EDGEMOE_CHECK(expert.pin < wants_count_, "not an expert of this layer");
    Want& want = wants_[expert.pin];
    EDGEMOE_CHECK(want.state == WantState::kGiven && want.expert == expert.expert,
                  "released twice, or never given");
    want.pin.Reset();
    want.state = WantState::kReleased;
    --unreleased_count_;
  }
  if (pending_.empty()) return;
  Reap(/*wait=*/false);
  Pump();
}

void ExpertPipeline::Abandon() {
  for (std::uint32_t index = 0; index < wants_count_; ++index) {
    Want& want = wants_[index];
    if (want.state == WantState::kGiven || want.state == WantState::kReleased) continue;
    want.pin.Reset();
    want.status = OkStatus();
    want.state = WantState::kReleased;
  }
  for (Load& load : loads_) load.want = kNone;
  pending_.clear();
  ready_.clear();
  ready_next_ = 0;
  given_count_ = wants_count_;
}

void ExpertPipeline::Pump() {
  if (partly_issued_ != kNone && IssueReads(partly_issued_)) partly_issued_ = kNone;
  static_assert(kSlotClassCountMax <= 32);
  std::uint32_t exhausted_classes = 0;  // a bit for each: no slot to be had
  std::size_t kept = 0;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    const std::uint32_t want = pending_[i];
    const std::uint32_t class_bit = 1u << cache_->ClassOf({layer_, wants_[want].expert});
    const bool reader_full = partly_issued_ != kNone || reader_->in_flight() == reader_->depth();
    if (reader_full || (exhausted_classes & class_bit) != 0 || !TryStartLoad(want)) {
      if (!reader_full) exhausted_classes |= class_bit;
      pending_[kept++] = want;
    }
  }
  pending_.resize(kept);
  reader_->Flush();
}

bool ExpertPipeline::TryStartLoad(std::uint32_t want) {
  const ExpertKey key{layer_, wants_[want].expert};
  const std::span<std::byte> slot = cache_->TryReserve(key);
  if (slot.empty()) return false;
  EDGEMOE_CHECK(!free_loads_.empty(), "more loads than requests in flight");
  const std::uint32_t index = free_loads_.back();
  free_loads_.pop_back();
  loads_[index] = {.active = true,
                   .key = key,
                   .slot = slot,
                   .plan = PlanReads(layout_.of(key)),
                   .want = want,
                   .status = OkStatus()};
  EDGEMOE_CHECK(loads_[index].plan.slot_bytes <= slot.size(), "slot too small for its expert");
  wants_[want].state = WantState::kLoading;
  if (!IssueReads(index)) partly_issued_ = index;
  return true;
}

bool ExpertPipeline::IssueReads(std::uint32_t index) {
  Load& load = loads_[index];
  while (load.next_run < load.plan.run_count && load.status.ok()) {
    const ReadRun& run = load.plan.runs[load.next_run];
    const auto bytes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(request_bytes_max_, run.bytes - load.next_in_run));
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
    load.next_in_run += bytes;
    if (load.next_in_run == run.bytes) {
      ++load.next_run;
      load.next_in_run = 0;
    }
  }
  return true;
}

void ExpertPipeline::Reap(bool wait) {
  const std::size_t count = wait ? reader_->Wait(completions_) : reader_->Poll(completions_);
  for (std::size_t i = 0; i < count; ++i) OnRead(completions_[i]);
}

void ExpertPipeline::OnRead(const ReadCompletion& completion) {
  const std::uint32_t index = LoadOf(completion.tag);
  Load& load = loads_[index];
  EDGEMOE_CHECK(load.active && load.pending_reads > 0, "a read that nobody waits for");
  --load.pending_reads;
  account_.bytes_read += completion.bytes_read;
  if (!completion.status.ok() && load.status.ok())
    load.status = FailureOf(load, OrdinalOf(completion.tag), completion.status);
  // After a failure the rest is not worth reading.
  const bool wholly_issued = load.next_run == load.plan.run_count || !load.status.ok();
  if (load.pending_reads > 0 || !wholly_issued) return;
  if (partly_issued_ == index) partly_issued_ = kNone;
  EndLoad(index);
}

Status ExpertPipeline::FailureOf(const Load& load, std::uint32_t ordinal,
                                 const Status& cause) const {
  std::string roles;
  std::uint32_t skipped = 0;
  for (std::size_t i = 0; i < load.plan.run_count; ++i) {
    const ReadRun& run = load.plan.runs[i];
    const auto reads =
        static_cast<std::uint32_t>((run.bytes + request_bytes_max_ - 1) / request_bytes_max_);
    if (ordinal < skipped + reads) {
      const std::uint64_t begin =
          run.slot_offset + std::uint64_t{ordinal - skipped} * request_bytes_max_;
      roles = RolesWithin(load.plan, layout_.of(load.key), begin, begin + request_bytes_max_);
      break;
    }
    skipped += reads;
  }
  return DataLossError("expert " + std::to_string(load.key.expert.value) + " of layer " +
                       std::to_string(load.key.layer.value) + ", " + roles + ": " +
                       cause.message());
}

void ExpertPipeline::EndLoad(std::uint32_t index) {
  Load& load = loads_[index];
  ExpertPin pin;
  if (load.status.ok())
    pin = cache_->Complete(load.key);
  else
    cache_->Fail(load.key);
  load.active = false;
  free_loads_.push_back(index);
  if (load.want == kNone) return;
  Want& want = wants_[load.want];
  want.pin = std::move(pin);
  want.status = std::move(load.status);
  want.state = WantState::kReady;
  ready_.push_back(load.want);
}

}  // namespace edgemoe
