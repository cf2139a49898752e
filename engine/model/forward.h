// SPDX-License-Identifier: Apache-2.0
//
// One step of the model over a batch of tokens from any number of sequences.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/base/routing.h"
#include "engine/kernels/kernel_table.h"
#include "engine/model/activation_observer.h"
#include "engine/model/kv_cache.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"
#include "engine/parallel/compute_pool.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// One token to run. Rows of one sequence stand together, in order of position.
// REQUIRES: token < vocabulary, position < config.context_length.
struct BatchRow {
  KvSequence* sequence =
      nullptr;  // has room for `position`; positions before it were run in earlier steps or rows
  std::uint32_t position = 0;
  TokenId token;
  bool wants_logits = false;
  // Read before each layer; once true the row is dropped from the rest of the step. May be null.
  const std::atomic<bool>* cancelled = nullptr;
  // Whose token it is: for caches and predictors, never for results.
  RequestId request{};
  SessionSlot session{};
  RoutingPhase phase = RoutingPhase::kDecode;
};

struct RowResult {
  // OK; CANCELLED; DATA_LOSS when an expert that the row needs could not be read. A row that failed
  // leaves its position in the sequence undefined, and fails the rows after it of the same sequence
  // with its own status; other sequences are unaffected.
  Status status;
  // [vocabulary] when asked for and OK; valid until the next Run. Null otherwise.
  const float* logits = nullptr;
  // What the row's experts cost, for the request's account: shared experts count for each row that
  // uses them, bytes and waiting for the first such row.
  ExpertIoAccount io;
};

// Is shown the logits [vocabulary] of a row; they are gone afterwards.
using LogitSink = std::function<void(const BatchRow& row, std::span<const float> logits)>;

// The transformer: embedding, layers, output. Owned by the engine; references given to it outlive
// it.
//
// Threads: Run is confined to the engine's thread; it uses the pool.
// Cost: no allocation in Run. Results do not depend on the batch, on threads, or on where experts
// come from.
class Forward {
 public:
  // Bytes of activations that a step of `rows_max` rows with `logit_rows_max` rows of logits needs.
  static std::uint64_t WorkspaceBytes(const ModelConfig& config, std::uint32_t rows_max,
                                      std::uint32_t logit_rows_max, std::size_t thread_count);

  // `observer`: shown the activations of every step, which it does not change; null for none.
  // `logit_sink`: with it any number of rows may want logits; they are computed logit_rows_max at a
  // time and shown to it in order of rows, within Run, and no result has logits then. The observer
  // sees kOutput as often.
  static Result<std::unique_ptr<Forward>> Create(const ModelConfig& config, const Weights& weights,
                                                 const KernelTable& kernels, ComputePool& pool,
                                                 ExpertSource& experts, KvCache& kv,
                                                 std::uint32_t rows_max,
                                                 std::uint32_t logit_rows_max,
                                                 ActivationObserver* observer = nullptr,
                                                 LogitSink logit_sink = {});
  virtual ~Forward() = default;

  // REQUIRES: 0 < rows.size() <= rows_max, results.size() == rows.size(), at most logit_rows_max
  // rows want logits unless there is a sink.
  virtual void Run(std::span<const BatchRow> rows, std::span<RowResult> results) = 0;
};

}  // namespace edgemoe
