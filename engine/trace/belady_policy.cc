// SPDX-License-Identifier: Apache-2.0
#include "engine/trace/belady_policy.h"

#include <limits>

namespace edgemoe {

BeladyPolicy::BeladyPolicy(const RoutingTrace& trace, const PolicyShape& shape)
    : residents_(shape), uses_begin_(residents_.size() + 1), uses_(trace.choices.size()) {
  const auto for_each_use = [&](auto visit) {
    for (std::size_t batch = 0; batch < trace.batches.size(); ++batch)
      for (const RoutedRow& row : trace.RowsOf(trace.batches[batch]))
        for (const ExpertChoice& choice : row.choices)
          visit(residents_.IndexOf({trace.batches[batch].layer, ExpertIndex{choice.expert}}),
                static_cast<std::int64_t>(batch) + 1);
  };
  for_each_use([&](std::size_t index, std::int64_t) { ++uses_begin_[index + 1]; });
  for (std::size_t i = 0; i < residents_.size(); ++i) uses_begin_[i + 1] += uses_begin_[i];
  next_.assign(uses_begin_.begin(), uses_begin_.end() - 1);
  std::vector<std::size_t> end = next_;
  for_each_use([&](std::size_t index, std::int64_t batch) { uses_[end[index]++] = batch; });
}

void BeladyPolicy::OnUse(const ExpertUse& use) {
  const std::size_t index = residents_.IndexOf(use.key);
  while (next_[index] < uses_begin_[index + 1] && uses_[next_[index]] <= batch_) ++next_[index];
}

std::optional<ExpertKey> BeladyPolicy::Victim() const {
  return residents_.Least([this](std::size_t index) { return -NextUse(index); });
}

void BeladyPolicy::AppendBest(std::size_t count, std::vector<ExpertKey>& keys) const {
  const auto worth = [this](std::size_t index) { return -NextUse(index); };
  residents_.AppendGreatest(count, worth, keys);
}

std::int64_t BeladyPolicy::NextUse(std::size_t index) const {
  if (next_[index] == uses_begin_[index + 1]) return std::numeric_limits<std::int64_t>::max();
  return uses_[next_[index]];
}

}  // namespace edgemoe
