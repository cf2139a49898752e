// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/scheduler/request.h"

namespace edgemoe {

// One text's vector, from the hidden states of its tokens in order.
class EmbeddingPool {
 public:
  explicit EmbeddingPool(const EmbeddingParameters& parameters)
      : pooling_(parameters.pooling.value_or(Pooling::kMean)), normalize_(parameters.normalize) {}

  // Whether the pool has to see this position of a text of `token_count` tokens.
  bool Wants(std::uint32_t position, std::uint32_t token_count) const {
    switch (pooling_) {
      case Pooling::kMean: return true;
      case Pooling::kFirst: return position == 0;
      case Pooling::kLast: return position + 1 == token_count;
    }
    return false;
  }
  // `hidden` [width]: the next one that is wanted.
  void Add(std::span<const float> hidden);
  // The vector of those added since the last one was taken. INTERNAL when a value is no finite
  // number. REQUIRES: there is one.
  Result<std::vector<float>> Take();

 private:
  const Pooling pooling_;
  const bool normalize_;
  std::vector<double> sum_;  // [width]
  std::uint32_t count_ = 0;
};

}  // namespace edgemoe
