// SPDX-License-Identifier: Apache-2.0
#include "download/http/retry.h"

#include <algorithm>

namespace edgemoe {

std::optional<std::uint64_t> RetrySchedule::NextWaitMs(std::optional<std::uint64_t> retry_after_s) {
  if (++attempts_ >= options_.attempts_max) return std::nullopt;
  if (retry_after_s && *retry_after_s > options_.retry_after_max_s) return std::nullopt;
  const std::uint64_t step = std::min(wait_ms_, options_.wait_max_ms);
  wait_ms_ = step * 2;
  const std::uint64_t own = step / 2 + random_.NextBelow(step / 2 + 1);
  return std::max(own, retry_after_s.value_or(0) * 1000);
}

void RetrySchedule::Progressed() {
  attempts_ = 0;
  wait_ms_ = options_.first_wait_ms;
}

}  // namespace edgemoe
