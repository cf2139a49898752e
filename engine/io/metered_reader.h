// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/heartbeat.h"
#include "engine/io/block_reader.h"

namespace edgemoe {

// What storage gave while its user did nothing but wait for it.
struct WaitMeter {
  std::uint64_t bytes = 0;  // that arrived inside Wait
  std::uint64_t ns = 0;     // spent there
};

// Passes everything through and meters Wait; each time that reads have landed is a beat. What was
// already under way when a wait begins counts as much as what is still under way when it ends is
// missing: over many waits the two cancel.
class MeteredReader final : public BlockReader {
 public:
  // `clock` and `heartbeat` outlive the reader.
  MeteredReader(std::unique_ptr<BlockReader> inner, const Clock& clock, Heartbeat& heartbeat)
      : inner_(std::move(inner)), clock_(clock), heartbeat_(heartbeat) {}

  std::string_view name() const override { return inner_->name(); }
  std::size_t depth() const override { return inner_->depth(); }
  bool TrySubmit(const ReadRequest& request) override { return inner_->TrySubmit(request); }
  void Flush() override { inner_->Flush(); }
  std::size_t Poll(std::span<ReadCompletion> completions) override;
  std::size_t Wait(std::span<ReadCompletion> completions) override;
  std::size_t in_flight() const override { return inner_->in_flight(); }
  Status SetFixedBuffers(std::span<const std::span<std::byte>> regions) override {
    return inner_->SetFixedBuffers(regions);
  }
  void OnFilesReopened() override { inner_->OnFilesReopened(); }
  const ReaderCounters& counters() const override { return inner_->counters(); }

  const WaitMeter& meter() const { return meter_; }

 private:
  std::unique_ptr<BlockReader> inner_;
  const Clock& clock_;
  Heartbeat& heartbeat_;
  WaitMeter meter_;
};

}  // namespace edgemoe
