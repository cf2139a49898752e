// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/embedding_pool.h"

#include <cmath>

#include "engine/base/check.h"

namespace edgemoe {

void EmbeddingPool::Add(std::span<const float> hidden) {
  if (count_ == 0) sum_.assign(hidden.size(), 0);
  EDGEMOE_CHECK(hidden.size() == sum_.size(), "hidden states of different widths");
  ++count_;
  for (std::size_t i = 0; i < hidden.size(); ++i) sum_[i] += static_cast<double>(hidden[i]);
}

Result<std::vector<float>> EmbeddingPool::Take() {
  EDGEMOE_CHECK(count_ > 0, "a text without hidden states");
  double squares = 0;
  for (double& value : sum_) {
    value /= count_;
    squares += value * value;
  }
  count_ = 0;
  if (!std::isfinite(squares))
    return Failure(InternalError(
        "the model's hidden state is not a finite number; the weights may be damaged"));
  const double scale = normalize_ && squares > 0 ? 1 / std::sqrt(squares) : 1;
  std::vector<float> vector;
  vector.reserve(sum_.size());
  for (const double value : sum_) vector.push_back(static_cast<float>(value * scale));
  return vector;
}

}  // namespace edgemoe
