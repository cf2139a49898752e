// SPDX-License-Identifier: Apache-2.0
//
// Layers from storage, one after another: the baseline that does not know about experts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/clock.h"
#include "engine/io/block_reader.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// Reads all experts of a layer, whatever the router names, in the order of the layers; while one
// layer computes out of one buffer, the next one is read into the other. A layer is given when all
// of it is there: what the router wants lies all over it.
//
// Invariants:
//   1. A buffer is given a new layer only when none of its reads is in flight and its experts are
//      released.
//   2. Reads of the layer that is asked for are issued before those of the next one.
//   3. A failed read fails the experts whose bytes it was to bring; the layer is read again when it
//      is next asked for.
//
// Checksums of packs are not looked at. Confined to the engine's thread. No allocation after
// construction, except for the message of a failure.
class LayerStreamSource final : public ExpertSource {
 public:
  // Bytes of both buffers.
  static std::uint64_t MemoryBytes(const ExpertLayout& layout);

  // All outlive the source. `memory`: aligned to kReadAlignment, at least MemoryBytes. Nobody else
  // submits to `reader`. `request_bytes_max`: a multiple of kReadAlignment.
  LayerStreamSource(const ExpertLayout& layout, BlockReader* reader, std::span<std::byte> memory,
                    const Clock* clock, std::uint32_t request_bytes_max = 1u << 20);
  // Waits for reads in flight. REQUIRES: all that was given is released.
  ~LayerStreamSource() override;

  void Begin(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
             std::span<const ExpertIndex> experts) override;
  void Advance() override;
  std::size_t NextReady(std::span<ReadyExpert> ready) override;
  void Release(std::span<const ReadyExpert> ready) override;
  void Abandon() override;
  const ExpertIoAccount& account() const override { return account_; }

 private:
  static constexpr std::uint32_t kNoLayer = 0xffffffff;

  // A contiguous part of a layer in the file and in the buffer, in whole blocks.
  struct Run {
    std::uint32_t file_index = 0;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_needed = 0;
    std::uint64_t buffer_offset = 0;
  };
  struct LayerPlan {
    std::vector<Run> runs;
    std::uint64_t bytes = 0;
  };
  struct Buffer {
    std::span<std::byte> memory;
    std::uint32_t target = kNoLayer;  // what it should hold
    std::uint32_t layer = kNoLayer;   // what it holds, or is being filled with
    std::size_t next_run = 0;         // to be issued
    std::uint64_t next_in_run = 0;
    std::uint32_t pending_reads = 0;
    bool failed = false;
    std::vector<Status> failures;  // [experts_per_layer]
  };
  struct Read {
    std::uint32_t buffer = 0;
    std::uint32_t file_index = 0;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };

  static LayerPlan PlanLayer(const ExpertLayout& layout, std::uint32_t layer);
  std::uint64_t OffsetInBuffer(std::uint32_t layer, const ExpertExtent& extent) const;
  std::uint32_t LayerAfter(std::uint32_t layer) const;
  void Target(Buffer& buffer, std::uint32_t layer);
  bool Complete(const Buffer& buffer) const;
  void Pump();
  bool IssueReads(std::uint32_t index);
  void Reap(bool wait);
  void OnRead(const ReadCompletion& completion);
  void Give(std::uint32_t want, ReadyExpert& ready);

  const ExpertLayout& layout_;
  BlockReader* const reader_;
  const Clock* const clock_;
  const std::uint32_t request_bytes_max_;
  std::vector<LayerPlan> plans_;  // [layer_count]

  std::array<Buffer, 2> buffers_;
  std::uint32_t current_ = 0;  // the buffer of the layer that is asked for
  std::vector<ExpertIndex> wants_;
  std::size_t given_count_ = 0;
  std::size_t unreleased_count_ = 0;

  std::vector<Read> reads_;  // [reader depth]
  std::vector<std::uint32_t> free_reads_;
  std::vector<ReadCompletion> completions_;
  ExpertIoAccount account_;
};

}  // namespace edgemoe
