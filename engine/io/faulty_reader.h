// SPDX-License-Identifier: Apache-2.0
//
// The faulty twin of storage: passes requests to another reader and, by a schedule that a seed
// makes reproducible, breaks some of them as real devices do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/random.h"
#include "engine/io/block_reader.h"
#include "engine/io/fault_schedule.h"

namespace edgemoe {

class FaultyReader final : public BlockReader {
 public:
  // REQUIRES: no rule names an expert. Of `slow_ms` nothing is done here: see AddFaults.
  FaultyReader(std::unique_ptr<BlockReader> inner, FaultSchedule schedule);

  std::string_view name() const override { return "faulty"; }
  std::size_t depth() const override { return inner_->depth(); }
  bool TrySubmit(const ReadRequest& request) override;
  void Flush() override { inner_->Flush(); }
  std::size_t Poll(std::span<ReadCompletion> completions) override;
  std::size_t Wait(std::span<ReadCompletion> completions) override;
  std::size_t in_flight() const override { return slots_.size() - free_.size(); }
  Status SetFixedBuffers(std::span<const std::span<std::byte>> regions) override {
    return inner_->SetFixedBuffers(regions);
  }
  void OnFilesReopened() override { inner_->OnFilesReopened(); }
  // Of the requests as the caller saw them.
  const ReaderCounters& counters() const override { return counters_; }

  std::uint64_t fault_count() const { return fault_count_; }

 private:
  enum class Stage : std::uint8_t { kFree, kFirstPiece, kLastPiece, kFinished };
  struct Slot {
    Stage stage = Stage::kFree;
    ReadRequest request;
    std::uint32_t first_piece_bytes = 0;
    std::uint32_t calls_left = 0;  // how long a finished request is still withheld
    ReadCompletion completion;
  };

  const FaultRule* Match(const ReadRequest& request);
  void StartPiece(std::uint32_t index, std::uint32_t begin, std::uint32_t end);
  void Finish(std::uint32_t index, Status status, std::uint32_t bytes_read);
  void OnInner(const ReadCompletion& completion);
  void Collect(bool wait);
  // `force`: at least one of the finished ones, withheld or not.
  std::size_t Deliver(std::span<ReadCompletion> completions, bool force);
  void Age();

  std::unique_ptr<BlockReader> inner_;
  FaultSchedule schedule_;
  std::vector<std::uint64_t> rule_hits_;  // [rules]
  Random random_;
  std::uint64_t request_count_ = 0;
  std::uint64_t fault_count_ = 0;
  std::vector<Slot> slots_;  // [depth]
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> finished_;  // in order of finishing
  std::vector<ReadCompletion> inner_completions_;
  ReaderCounters counters_;
};

}  // namespace edgemoe
