// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/read_ahead/judge.h"

#include <algorithm>

namespace edgemoe {

void ReadAheadJudge::EndStep(std::uint64_t step_ns, std::uint32_t rows, bool read_any) {
  steps_without_reads_ = read_any ? 0 : std::min(steps_without_reads_ + 1, kRestAfter);
  if (!read_any) return;
  if (!in_trial()) {
    --settled_steps_left_;
    return;
  }
  // Batches of different sizes cannot be compared.
  if (rows != trial_rows_) {
    RestartTrial(rows);
    return;
  }
  const std::size_t on = BlockIsOn() ? 1 : 0;
  // The first step of a block still profits, or suffers, from the block before.
  if (trial_step_ % kBlockSteps != 0) samples_[on][sample_counts_[on]++] = step_ns;
  if (++trial_step_ == kBlockSteps * kBlocks) EndTrial();
}

void ReadAheadJudge::RestartTrial(std::uint32_t rows) {
  trial_rows_ = rows;
  trial_step_ = 0;
  sample_counts_ = {};
}

void ReadAheadJudge::EndTrial() {
  std::array<std::uint64_t, 2> medians{};
  for (const std::size_t mode : {std::size_t{0}, std::size_t{1}}) {
    const auto begin = samples_[mode].begin();
    const auto middle = begin + static_cast<std::ptrdiff_t>(sample_counts_[mode] / 2);
    std::nth_element(begin, middle, begin + static_cast<std::ptrdiff_t>(sample_counts_[mode]));
    medians[mode] = *middle;
  }
  const bool on = medians[1] <= medians[0];
  settle_steps_ =
      trials_ > 0 && on == verdict_on_ ? std::min(settle_steps_ * 2, kSettleMax) : kSettleMin;
  settled_steps_left_ = settle_steps_;
  verdict_on_ = on;
  ++trials_;
  RestartTrial(0);
}

}  // namespace edgemoe
