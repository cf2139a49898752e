// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_set.h"
#include "engine/model/forward.h"
#include "engine/model/weights.h"
#include "tests/support/memory_expert_source.h"

namespace edgemoe {

// Runs `tokens` of a sequence at positions from `position` on, at most `chunk_max` a step, and
// gives the logits of each: [tokens, vocabulary]. Prepares the sequence.
Result<std::vector<float>> RunTokens(Forward& forward, const ModelConfig& config,
                                     std::uint32_t chunk_max, SequenceState& sequence,
                                     std::uint32_t position, std::span<const TokenId> tokens);

// A model in memory with a forward pass over it: the engine's model without storage, scheduler or
// budget.
class LoadedModel {
 public:
  struct Options {
    std::uint32_t rows_max = 64;
    std::uint32_t logit_rows_max = 64;
    std::size_t thread_count = 1;
    const KernelTable* kernels = nullptr;  // null: the fastest
    std::uint64_t state_tokens = 1024;     // of all sequences
    ActivationObserver* observer = nullptr;
  };
  // `file` is a whole GGUF file and outlives the model.
  static Result<std::unique_ptr<LoadedModel>> Load(std::span<const std::byte> file,
                                                   const Options& options);

  const ModelConfig& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  const WeightsLayout& layout() const { return layout_; }
  const GgufSet& files() const { return *files_; }
  MemoryExpertSource& experts() { return *experts_; }
  StatePool& state() { return *state_; }
  Forward& forward() { return *forward_; }

  // RunTokens in chunks as long as the options allow.
  Result<std::vector<float>> Run(SequenceState& sequence, std::uint32_t position,
                                 std::span<const TokenId> tokens);

 private:
  LoadedModel() = default;

  Options options_;
  std::unique_ptr<GgufSet> files_;
  ModelConfig config_;
  WeightsLayout layout_;
  Weights weights_;
  std::unique_ptr<ComputePool> pool_;
  std::unique_ptr<MemoryExpertSource> experts_;
  std::unique_ptr<StatePool> state_;
  std::unique_ptr<Forward> forward_;
};

}  // namespace edgemoe
