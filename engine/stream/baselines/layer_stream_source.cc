// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/baselines/layer_stream_source.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/page_size.h"

namespace edgemoe {

std::uint64_t LayerStreamSource::MemoryBytes(const ExpertLayout& layout) {
  std::uint64_t most = 0;
  for (std::uint32_t layer = 0; layer < layout.layer_count; ++layer)
    most = std::max(most, PlanLayer(layout, layer).bytes);
  return AlignUp(2 * most, PageBytes());
}

LayerStreamSource::LayerPlan LayerStreamSource::PlanLayer(const ExpertLayout& layout,
                                                          std::uint32_t layer) {
  std::vector<const ExpertExtent*> extents;
  for (std::uint32_t expert = 0; expert < layout.experts_per_layer; ++expert)
    for (const ExpertExtent& extent : layout.of({ExpertLayerIndex{layer}, ExpertIndex{expert}}))
      if (extent.bytes > 0) extents.push_back(&extent);
  std::ranges::sort(extents, {}, [](const ExpertExtent* extent) {
    return std::tuple(extent->file_index, extent->offset);
  });
  LayerPlan plan;
  for (const ExpertExtent* extent : extents) {
    const std::uint64_t begin = AlignDown(extent->offset, kReadAlignment);
    const std::uint64_t end = extent->offset + extent->bytes;
    Run* run = plan.runs.empty() ? nullptr : &plan.runs.back();
    if (run == nullptr || run->file_index != extent->file_index ||
        begin > run->offset + run->bytes) {
      run = &plan.runs.emplace_back();
      run->file_index = extent->file_index;
      run->offset = begin;
      run->buffer_offset = plan.bytes;
    }
    run->bytes_needed = std::max(run->bytes_needed, end - run->offset);
    run->bytes = AlignUp(run->bytes_needed, kReadAlignment);
    plan.bytes = run->buffer_offset + run->bytes;
  }
  return plan;
}

LayerStreamSource::LayerStreamSource(const ExpertLayout& layout, BlockReader* reader,
                                     std::span<std::byte> memory, const Clock* clock,
                                     std::uint32_t request_bytes_max)
    : layout_(layout),
      reader_(reader),
      clock_(clock),
      request_bytes_max_(request_bytes_max),
      reads_(reader->depth()),
      completions_(reader->depth()) {
  EDGEMOE_CHECK(request_bytes_max_ > 0 && request_bytes_max_ % kReadAlignment == 0 &&
                    request_bytes_max_ <= kReadBytesMax,
                "request_bytes_max is not a number of blocks");
  EDGEMOE_CHECK(memory.size() >= MemoryBytes(layout), "no room for two layers");
  for (std::uint32_t layer = 0; layer < layout.layer_count; ++layer)
    plans_.push_back(PlanLayer(layout, layer));
  const std::size_t half = MemoryBytes(layout) / 2;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    buffers_[i].memory = memory.subspan(i * half, half);
    buffers_[i].failures.resize(layout.experts_per_layer);
  }
  wants_.reserve(layout.experts_per_layer);
  free_reads_.reserve(reads_.size());
  for (std::size_t read = reads_.size(); read > 0; --read)
    free_reads_.push_back(static_cast<std::uint32_t>(read - 1));
}

LayerStreamSource::~LayerStreamSource() {
  EDGEMOE_CHECK(unreleased_count_ == 0, "destroyed with experts in use");
  while (reader_->in_flight() > 0) Reap(/*wait=*/true);
}

void LayerStreamSource::Begin(ExpertLayerIndex layer, std::span<const RoutedRow> /*rows*/,
                              std::span<const ExpertIndex> experts) {
  EDGEMOE_CHECK(given_count_ == wants_.size() && unreleased_count_ == 0,
                "the previous layer is not finished");
  EDGEMOE_CHECK(layer.value < layout_.layer_count, "no such layer");
  EDGEMOE_CHECK(experts.size() <= layout_.experts_per_layer, "more experts than the layer has");
  Reap(/*wait=*/false);
  wants_.assign(experts.begin(), experts.end());
  given_count_ = 0;
  if (buffers_[current_].target != layer.value) current_ = 1 - current_;
  Target(buffers_[current_], layer.value);
  Target(buffers_[1 - current_], LayerAfter(layer.value));
  Pump();
  if (Complete(buffers_[current_])) account_.hits += wants_.size();
}

// The next layer that has experts; kNoLayer when there is no other.
std::uint32_t LayerStreamSource::LayerAfter(std::uint32_t layer) const {
  for (std::uint32_t i = 1; i < layout_.layer_count; ++i) {
    const std::uint32_t next = (layer + i) % layout_.layer_count;
    if (plans_[next].bytes > 0) return next;
  }
  return kNoLayer;
}

void LayerStreamSource::Target(Buffer& buffer, std::uint32_t layer) {
  buffer.target = layer;
  if (buffer.layer == layer && !buffer.failed) return;
  // The layer that the buffer is being filled with is no longer wanted. Pump starts again when the
  // last of its reads has landed.
  buffer.layer = kNoLayer;
}

bool LayerStreamSource::Complete(const Buffer& buffer) const {
  return buffer.layer == buffer.target && buffer.pending_reads == 0 &&
         buffer.next_run == plans_[buffer.layer].runs.size();
}

void LayerStreamSource::Advance() {
  Reap(/*wait=*/false);
  Pump();
}

void LayerStreamSource::Pump() {
  for (const std::uint32_t index : {current_, 1 - current_}) {
    Buffer& buffer = buffers_[index];
    if (buffer.target == kNoLayer) continue;
    if (buffer.layer == kNoLayer) {
      if (buffer.pending_reads > 0) break;
      buffer.layer = buffer.target;
      buffer.next_run = 0;
      buffer.next_in_run = 0;
      buffer.failed = false;
      for (Status& status : buffer.failures) status = OkStatus();
    }
    if (!IssueReads(index)) break;
  }
  reader_->Flush();
}

// False when the reader is full.
bool LayerStreamSource::IssueReads(std::uint32_t index) {
  Buffer& buffer = buffers_[index];
  const LayerPlan& plan = plans_[buffer.layer];
  while (buffer.next_run < plan.runs.size()) {
    if (free_reads_.empty()) return false;
    const Run& run = plan.runs[buffer.next_run];
    const std::uint64_t begin = buffer.next_in_run;
    const std::uint64_t bytes = std::min<std::uint64_t>(request_bytes_max_, run.bytes - begin);
    const std::uint32_t tag = free_reads_.back();
    const bool taken = reader_->TrySubmit(
        {.file_index = run.file_index,
         .offset = run.offset + begin,
         .destination = buffer.memory.data() + run.buffer_offset + begin,
         .bytes = static_cast<std::uint32_t>(bytes),
         .bytes_needed = static_cast<std::uint32_t>(std::min(bytes, run.bytes_needed - begin)),
         .tag = tag});
    if (!taken) return false;
    free_reads_.pop_back();
    reads_[tag] = {index, run.file_index, run.offset + begin, bytes};
    ++buffer.pending_reads;
    buffer.next_in_run += bytes;
    if (buffer.next_in_run == run.bytes) {
      ++buffer.next_run;
      buffer.next_in_run = 0;
    }
  }
  return true;
}

void LayerStreamSource::Reap(bool wait) {
  const std::size_t count = wait ? reader_->Wait(completions_) : reader_->Poll(completions_);
  for (std::size_t i = 0; i < count; ++i) OnRead(completions_[i]);
}

void LayerStreamSource::OnRead(const ReadCompletion& completion) {
  const auto tag = static_cast<std::uint32_t>(completion.tag);
  const Read& read = reads_[tag];
  Buffer& buffer = buffers_[read.buffer];
  --buffer.pending_reads;
  free_reads_.push_back(tag);
  account_.bytes_read += completion.bytes_read;
  if (completion.status.ok() || buffer.layer == kNoLayer) return;
  buffer.failed = true;
  for (std::uint32_t expert = 0; expert < layout_.experts_per_layer; ++expert) {
    const ExpertExtents& extents =
        layout_.of({ExpertLayerIndex{buffer.layer}, ExpertIndex{expert}});
    const bool touched = std::ranges::any_of(extents, [&](const ExpertExtent& extent) {
      return extent.file_index == read.file_index && extent.offset < read.offset + read.bytes &&
             extent.offset + extent.bytes > read.offset;
    });
    if (touched && buffer.failures[expert].ok())
      buffer.failures[expert] =
          DataLossError("expert " + std::to_string(expert) + " of layer " +
                        std::to_string(buffer.layer) + ": " + completion.status.message());
  }
}

std::size_t LayerStreamSource::NextReady(std::span<ReadyExpert> ready) {
  EDGEMOE_CHECK(!ready.empty(), "no room for an expert");
  if (given_count_ == wants_.size()) return 0;
  Advance();
  if (!Complete(buffers_[current_])) {
    const std::uint64_t begin_ns = clock_->NowNs();
    do {
      EDGEMOE_CHECK(reader_->in_flight() > 0, "nothing to wait for");
      Reap(/*wait=*/true);
      Pump();
    } while (!Complete(buffers_[current_]));
    account_.wait_ns += clock_->NowNs() - begin_ns;
  }
  std::size_t count = 0;
  while (count < ready.size() && given_count_ < wants_.size())
    Give(static_cast<std::uint32_t>(given_count_++), ready[count++]);
  unreleased_count_ += count;
  return count;
}

void LayerStreamSource::Give(std::uint32_t want, ReadyExpert& ready) {
  const Buffer& buffer = buffers_[current_];
  const ExpertIndex expert = wants_[want];
  EDGEMOE_CHECK(expert.value < layout_.experts_per_layer, "no such expert");
  const ExpertExtents& extents = layout_.of({ExpertLayerIndex{buffer.layer}, expert});
  ready.expert = expert;
  ready.pin = want;
  ready.status = buffer.failures[expert.value];
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    ready.matrices[role] = ready.status.ok()
                               ? buffer.memory.data() + OffsetInBuffer(buffer.layer, extents[role])
                               : nullptr;
    ready.types[role] = extents[role].type;
  }
  if (ready.status.ok()) ++account_.experts_used;
}

std::uint64_t LayerStreamSource::OffsetInBuffer(std::uint32_t layer,
                                                const ExpertExtent& extent) const {
  // The last run that begins at or before it.
  const std::vector<Run>& runs = plans_[layer].runs;
  const auto after = std::ranges::upper_bound(
      runs, std::pair(extent.file_index, extent.offset), {},
      [](const Run& run) { return std::pair(run.file_index, run.offset); });
  EDGEMOE_CHECK(after != runs.begin(), "the layer's plan has this extent");
  const Run& run = *(after - 1);
  return run.buffer_offset + (extent.offset - run.offset);
}

void LayerStreamSource::Release(std::span<const ReadyExpert> ready) {
  EDGEMOE_CHECK(ready.size() <= unreleased_count_, "released twice, or never given");
  unreleased_count_ -= ready.size();
}

void LayerStreamSource::Abandon() { given_count_ = wants_.size(); }

}  // namespace edgemoe
