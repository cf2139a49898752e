// SPDX-License-Identifier: Apache-2.0
//
// Whether reading ahead pays on this machine, by trying both ways.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace edgemoe {

// A pure state machine over the times of steps. A trial runs blocks of steps with and without
// reading ahead in turn and compares the medians; the winner stays until the next trial, which
// comes later each time that the verdict is the same. Steps that read nothing tell nothing: then
// reading ahead, and the guessing for it, rests.
class ReadAheadJudge {
 public:
  // Whether the next step should read ahead.
  bool on() const { return !resting() && (in_trial() ? BlockIsOn() : verdict_on_); }

  // A step ended: what it took, of how many rows, and whether any expert was missing when asked
  // for or was read ahead.
  void EndStep(std::uint64_t step_ns, std::uint32_t rows, bool read_any);

  // What the last trial found; true before the first.
  bool verdict_on() const { return verdict_on_; }
  std::uint64_t trials() const { return trials_; }

  static constexpr std::uint32_t kBlockSteps = 8;
  static constexpr std::uint32_t kBlocks = 8;  // on and off in turn
  static constexpr std::uint32_t kRestAfter = 16;
  static constexpr std::uint32_t kSettleMin = 512;
  static constexpr std::uint32_t kSettleMax = 16384;

 private:
  static constexpr std::size_t kSamples = std::size_t{kBlockSteps} * kBlocks / 2;

  bool resting() const { return steps_without_reads_ >= kRestAfter; }
  bool in_trial() const { return settled_steps_left_ == 0; }
  bool BlockIsOn() const { return trial_step_ / kBlockSteps % 2 == 0; }
  void RestartTrial(std::uint32_t rows);
  void EndTrial();

  std::uint32_t trial_rows_ = 0;
  std::uint32_t trial_step_ = 0;
  std::array<std::array<std::uint64_t, kSamples>, 2> samples_{};  // [off, on]
  std::array<std::size_t, 2> sample_counts_{};
  bool verdict_on_ = true;
  std::uint32_t settle_steps_ = kSettleMin;
  std::uint32_t settled_steps_left_ = 0;
  std::uint32_t steps_without_reads_ = 0;
  std::uint64_t trials_ = 0;
};

}  // namespace edgemoe
