// SPDX-License-Identifier: Apache-2.0
#include "engine/cache/lfu_policy.h"

#include <limits>

namespace edgemoe {

std::unique_ptr<EvictionPolicy> LfuPolicy::Make(const PolicyShape& shape) {
  return std::make_unique<LfuPolicy>(shape);
}

void LfuPolicy::OnUse(const ExpertUse& use) {
  Uses& uses = uses_[residents_.IndexOf(use.key)];
  if (uses.last == pass_) return;
  if (uses.count < std::numeric_limits<std::uint32_t>::max()) ++uses.count;
  uses.last = pass_;
}

std::optional<ExpertKey> LfuPolicy::Victim() const {
  return residents_.Least([this](std::size_t index) { return uses_[index]; });
}

void LfuPolicy::AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const {
  const auto worth = [this](std::size_t index) { return uses_[index]; };
  residents_.AppendGreatest(count, worth, keys);
}

}  // namespace edgemoe
