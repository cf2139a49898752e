// SPDX-License-Identifier: Apache-2.0
//
// A model outside the serving engine, for a job that runs windows of text through it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/cache/expert_cache.h"
#include "engine/cache/slot_slab.h"
#include "engine/io/block_reader.h"
#include "engine/io/storage_file.h"
#include "engine/load/expert_stack.h"
#include "engine/load/model_header.h"
#include "engine/model/activation_observer.h"
#include "engine/model/forward.h"
#include "engine/model/state/sequence_state.h"
#include "engine/model/weights.h"
#include "engine/parallel/compute_pool.h"
#include "engine/study/replaced_experts.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

struct OfflineModelOptions {
  std::string path{};              // a GGUF file or an expert pack; the first part of a split one
  std::uint64_t memory_bytes = 0;  // dense + KV + workspace + experts; 0: what the model can use
  std::uint32_t context_tokens = 512;  // longest window, [1, the model's own context]
  std::uint32_t rows_max = 512;        // tokens a step; fewer when memory is short
  std::size_t threads = 1;
  std::string io_backend = "auto";               // as EngineOptions
  std::string kernels = "auto";                  // as EngineOptions
  ActivationObserver* observer = nullptr;        // outlives the model; may be null
  const std::atomic<bool>* cancelled = nullptr;  // looked at before each layer; may be null
};

// Who gets which part of memory_bytes.
struct OfflineMemory {
  std::uint64_t dense_bytes = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t workspace_bytes = 0;
  std::uint64_t expert_bytes = 0;
  std::uint32_t rows_max = 0;
  bool holds_all_experts = false;
  std::uint64_t least_bytes = 0;  // of memory_bytes, that works with these options

  std::uint64_t total_bytes() const {
    return dense_bytes + state_bytes + workspace_bytes + expert_bytes;
  }
};

// Pure. Each step reads every expert that one of its rows chose, so rows are worth more than slots,
// unless fewer rows (kRowsWorthSlots at least) leave room for all experts. RESOURCE_EXHAUSTED names
// what was found and the least that works.
Result<OfflineMemory> PlanOfflineMemory(const ModelHeader& header,
                                        const OfflineModelOptions& options);
constexpr std::uint32_t kRowsWorthSlots = 64;

// Threads: one at a time; it computes on a pool of its own.
class OfflineModel {
 public:
  // Loads dense weights. Errors as ReadModelHeader's; INVALID_ARGUMENT names an option;
  // RESOURCE_EXHAUSTED as PlanOfflineMemory, or when the system has less; DATA_LOSS.
  static Result<std::unique_ptr<OfflineModel>> Open(const OfflineModelOptions& options);

  const ModelConfig& config() const { return config_; }
  const WeightsLayout& layout() const { return layout_; }
  const OfflineMemory& memory() const { return memory_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const ExpertIoAccount& account() const { return stack_->pipeline().account(); }

  // Is shown the logits [vocabulary] of a position, in order of positions; they are gone
  // afterwards.
  using PositionSink = std::function<void(std::size_t position, std::span<const float> logits)>;

  // Runs one sequence from position 0 on; shows the logits of position `first_logits` and those
  // after it. CANCELLED; DATA_LOSS when an expert could not be read. INVALID_ARGUMENT for no token,
  // more than context_tokens, or one outside the vocabulary.
  Status RunWindow(std::span<const TokenId> tokens, std::size_t first_logits,
                   const PositionSink& sink);

  // Replaces experts' matrices from the next window on.
  ReplacedExperts& overlay() { return *overlay_; }
  // Replaces the dense matrix layout().dense[index] by packed rows of the same shape in `type`,
  // which the caller keeps alive until ClearReplacements; a tied output goes with the embedding.
  // REQUIRES: no norm; a computable type; as many bytes as the shape has in it.
  void SetDense(std::size_t index, TensorType type, std::span<const std::byte> bytes);
  // The model as it is in its file.
  void ClearReplacements();

 private:
  OfflineModel() = default;

  Status OpenStream(const OfflineModelOptions& options, const SlotClasses& classes);
  Status OpenForward(const OfflineModelOptions& options);
  Status CheckWindow(std::span<const TokenId> tokens) const;
  // Rows [begin, end) of the window.
  Status RunChunk(SequenceState& sequence, std::span<const TokenId> tokens, std::size_t begin,
                  std::size_t end, std::size_t first_logits);

  const SteadyClock clock_{};
  const std::atomic<bool>* cancelled_ = nullptr;
  ModelConfig config_;  // with context_tokens as its context
  OfflineMemory memory_;
  WeightsLayout layout_;
  Weights weights_;
  std::unique_ptr<Tokenizer> tokenizer_;

  std::vector<StorageFile> files_;
  std::unique_ptr<BlockReader> reader_;
  std::unique_ptr<ExpertStack> stack_;
  std::optional<ReplacedExperts> overlay_;
  std::vector<std::size_t> replaced_dense_;
  std::optional<ReplacedExpertsSource> experts_;

  std::optional<ComputePool> pool_;
  std::optional<StatePool> state_;
  std::unique_ptr<Forward> forward_;
  std::vector<BatchRow> rows_;          // [rows_max]
  std::vector<RowResult> results_;      // [rows_max]
  const PositionSink* sink_ = nullptr;  // of the window that runs
};

}  // namespace edgemoe
