// SPDX-License-Identifier: Apache-2.0
//
// One step of the model over a batch of tokens from any number of sequences.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/heartbeat.h"
#include "engine/base/result.h"
#include "engine/kernels/kernel_table.h"
#include "engine/model/activation_observer.h"
#include "engine/model/batch.h"
#include "engine/model/model_config.h"
#include "engine/model/weights.h"
#include "engine/parallel/compute_pool.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

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

  // References outlive the object.
  struct Parts {
    const Weights& weights;
    const KernelTable& kernels;
    ComputePool& pool;
    ExpertSource& experts;
  };
  struct Options {
    std::uint32_t rows_max = 1;        // of a step
    std::uint32_t logit_rows_max = 1;  // rows of logits that are computed together
    // Shown the activations of every step, which it does not change; null for none. It sees
    // kOutput once for each logit_rows_max rows of logits.
    ActivationObserver* observer = nullptr;
    Heartbeat* heartbeat = nullptr;  // beats with each layer; null for none
    // With it any number of rows may want logits: they are shown to it in order of rows, within
    // Run, and no result has logits then.
    LogitSink logit_sink{};
  };
  // RESOURCE_EXHAUSTED when there is no memory for the workspace.
  static Result<std::unique_ptr<Forward>> Create(const ModelConfig& config, const Parts& parts,
                                                 Options options);
  virtual ~Forward() = default;

  // REQUIRES: 0 < rows.size() <= rows_max, results.size() == rows.size(), at most logit_rows_max
  // rows want logits unless there is a sink.
  virtual void Run(std::span<const BatchRow> rows, std::span<RowResult> results) = 0;
};

}  // namespace edgemoe
