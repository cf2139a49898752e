// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/routing.h"
#include "engine/trace/trace_format.h"

namespace edgemoe {

// Writes down what routers choose while the engine runs: text as in trace_format.h, in a ring of a
// fixed size from which another thread takes it. A step is written whole or, when there is no room
// for it, not at all, and is counted; so a slow taker loses steps, never lines.
//
// Threads: OnStep, OnRouted and OnIdle are called on the engine's thread, Take on one other thread,
// the rest on any. No locks, and no allocation after construction but in Take and in the observer.
class RoutingRecorder final : public RoutingObserver {
 public:
  static constexpr std::size_t kBufferBytesDefault = std::size_t{16} << 20;

  // Told on the engine's thread of each step that Take can give, with steps_recorded().
  using StepObserver = std::function<void(std::uint64_t steps_recorded)>;

  // `description` tells layers, experts and their sizes; the buffer holds `buffer_bytes` of text.
  explicit RoutingRecorder(const TraceDescription& description,
                           std::size_t buffer_bytes = kBufferBytesDefault,
                           StepObserver observer = {});

  // The beginning of the file; what Take gives follows.
  const std::string& header() const { return header_; }

  // A batch begins: the step before is complete and can be taken.
  void OnStep() override { FinishStep(); }
  // No batch follows for now: the last step is complete and can be taken.
  void OnIdle() { FinishStep(); }
  // What the rows of a layer chose. `read_bytes` is [experts_per_layer]: 0 for experts that were in
  // memory, for others what was read for them; those that were not chosen are not looked at.
  void OnRouted(ExpertLayerIndex layer, std::span<const RoutedRow> rows,
                std::span<const std::uint64_t> read_bytes) override;

  // The lines of all steps that were finished since the last call; empty when there are none.
  std::string Take();

  std::uint64_t steps_recorded() const { return steps_recorded_.load(std::memory_order_relaxed); }
  std::uint64_t steps_dropped() const { return steps_dropped_.load(std::memory_order_relaxed); }

 private:
  void FinishStep();
  void Append(std::span<const char> line);

  const std::string header_;
  const StepObserver observer_;
  std::vector<char> ring_;
  std::vector<bool> named_;     // [experts_per_layer]; by an earlier line of the batch
  std::uint64_t step_end_ = 0;  // bytes written in all, this step's too; the engine thread's
  bool step_fits_ = true;       // the engine thread's
  std::atomic<std::uint64_t> finished_{0};  // bytes of whole steps in all
  std::atomic<std::uint64_t> taken_{0};     // bytes in all
  std::atomic<std::uint64_t> steps_recorded_{0};
  std::atomic<std::uint64_t> steps_dropped_{0};
};

}  // namespace edgemoe
