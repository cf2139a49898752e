// SPDX-License-Identifier: Apache-2.0
//
// A slower device out of a faster one: for measuring how an SD card or a SATA disk would do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/base/clock.h"
#include "engine/io/block_reader.h"
#include "engine/io/slot_queue.h"

namespace edgemoe {

// The modelled device serves requests one after another at `bytes_per_second`, in the order in
// which they were submitted; each takes `latency_ns` on top, and latencies overlap. Completions of
// the inner reader are withheld until their modelled time, and given in that order. A device that
// is really slower than its model is not made faster.
class ThrottledReader final : public BlockReader {
 public:
  struct Options {
    std::uint64_t bytes_per_second = 0;  // 0: no limit
    std::uint64_t latency_ns = 0;
    const Clock* clock = nullptr;  // must outlive the reader
    // Waits about this long in the clock's time; empty: sleeps, as fits a SteadyClock.
    std::function<void(std::uint64_t nanoseconds)> sleep = {};
  };

  // REQUIRES: options.clock is set.
  ThrottledReader(std::unique_ptr<BlockReader> inner, Options options);

  std::string_view name() const override { return "throttled"; }
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
  const ReaderCounters& counters() const override { return inner_->counters(); }

 private:
  struct Slot {
    std::uint64_t tag = 0;
    std::uint64_t due_ns = 0;
    bool landed = false;
    ReadCompletion completion;
  };

  std::uint64_t TransferNs(std::uint64_t bytes) const;
  void Collect(std::size_t landed_count);

  std::unique_ptr<BlockReader> inner_;
  Options options_;
  std::uint64_t busy_until_ns_ = 0;
  std::vector<Slot> slots_;  // [depth]
  std::vector<std::uint32_t> free_;
  SlotQueue queue_;  // in flight, in order of submission, which is that of due_ns
  std::vector<ReadCompletion> inner_completions_;
};

}  // namespace edgemoe
