// SPDX-License-Identifier: Apache-2.0
#include "engine/model/forward.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/model/active_rows.h"
#include "engine/model/attention.h"
#include "engine/model/encoded_rows.h"
#include "engine/model/moe.h"
#include "engine/model/projection.h"
#include "engine/model/workspace.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

class Transformer final : public Forward {
 public:
  Transformer(const ModelConfig& config, const Weights& weights, const KernelTable& kernels,
              ComputePool& pool, ExpertSource& experts, KvCache& kv, const WorkspaceLimits& limits,
              Workspace workspace, ActivationObserver* observer, LogitSink logit_sink)
      : config_(config),
        weights_(weights),
        kernels_(kernels),
        pool_(pool),
        experts_(experts),
        observer_(observer),
        limits_(limits),
        workspace_(std::move(workspace)),
        logit_sink_(std::move(logit_sink)),
        rows_(limits.rows_max),
        attention_(config_, kernels, pool, kv, workspace_, limits.rows_max, observer),
        moe_(config_, kernels, pool, experts, workspace_, limits.rows_max, observer),
        encoded_output_(kernels, pool, workspace_.encoded_width, limits.rows_max, config.width),
        logit_rows_(limits.logit_rows_max) {}

  void Run(std::span<const BatchRow> rows, std::span<RowResult> results) override {
    EDGEMOE_CHECK(!rows.empty() && rows.size() <= limits_.rows_max, "too many rows, or none");
    EDGEMOE_CHECK(rows.size() == results.size(), "one result a row");
    rows_.Start(rows, results);
    experts_.BeginStep();
    Embed(rows);
    attention_.SetPositions(rows);
    for (std::uint32_t layer = 0; layer < config_.layer_count; ++layer) {
      rows_.FailCancelled();
      rows_.Compact(workspace_.x, config_.width);
      if (rows_.count() == 0) return;
      attention_.Run(LayerIndex{layer}, weights_.layers[layer], rows_);
      experts_.Advance();
      const bool is_last = layer + 1 == config_.layer_count;
      moe_.Run(LayerIndex{layer}, weights_.layers[layer],
               is_last ? nullptr : &weights_.layers[layer + 1], rows_);
    }
    rows_.Compact(workspace_.x, config_.width);
    ComputeLogits();
  }

 private:
  void Embed(std::span<const BatchRow> rows) {
    const MatrixView& embedding = weights_.embedding;
    pool_.ParallelFor(rows.size(), [&](std::size_t i, std::size_t) {
      const auto token = static_cast<std::uint32_t>(rows[i].token.value);
      EDGEMOE_CHECK(token < config_.vocabulary_size, "token outside the vocabulary");
      EDGEMOE_CHECK(rows[i].position < config_.context_length &&
                        rows[i].position / kKvBlockTokens < rows[i].sequence->blocks().size(),
                    "position without room");
      DequantizeRow(embedding.type, embedding.bytes + token * embedding.row_bytes, config_.width,
                    workspace_.x + i * config_.width);
    });
  }

  void ComputeLogits() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows_.count(); ++i) {
      if (!rows_.row(i).wants_logits) continue;
      if (count == limits_.logit_rows_max) {
        EDGEMOE_CHECK(logit_sink_ != nullptr, "too many rows want logits");
        ProjectLogits(count);
        count = 0;
      }
      kernels_.rms_norm(workspace_.x + i * config_.width, weights_.output_norm, config_.width,
                        config_.rms_epsilon, workspace_.normed + count * config_.width);
      logit_rows_[count++] = i;
    }
    if (count > 0) ProjectLogits(count);
  }

  // The output of the first `count` of logit_rows_, which are normed.
  void ProjectLogits(std::size_t count) {
    if (observer_ != nullptr) {
      observer_->OnDense(DenseInput::kOutput, LayerIndex{config_.layer_count - 1},
                         workspace_.normed, count, config_.width);
    }
    encoded_output_.Set(workspace_.normed, count);
    const std::array output = {Projection{&weights_.output, workspace_.logits}};
    Project(output, encoded_output_, count, kernels_, pool_);
    for (std::size_t i = 0; i < count; ++i) {
      const float* logits = workspace_.logits + i * config_.vocabulary_size;
      if (logit_sink_) {
        logit_sink_(rows_.row(logit_rows_[i]), {logits, config_.vocabulary_size});
      } else {
        rows_.result(logit_rows_[i]).logits = logits;
      }
    }
  }

  const ModelConfig config_;
  const Weights& weights_;
  const KernelTable& kernels_;
  ComputePool& pool_;
  ExpertSource& experts_;
  ActivationObserver* const observer_;
  const WorkspaceLimits limits_;
  Workspace workspace_;
  const LogitSink logit_sink_;  // may be empty
  ActiveRows rows_;
  AttentionLayer attention_;
  MoeLayer moe_;
  EncodedRows encoded_output_;
  std::vector<std::size_t> logit_rows_;  // [logit_rows_max], the active rows that are projected
};

}  // namespace

std::uint64_t Forward::WorkspaceBytes(const ModelConfig& config, std::uint32_t rows_max,
                                      std::uint32_t logit_rows_max, std::size_t thread_count) {
  return Workspace::Bytes(config, {rows_max, logit_rows_max, thread_count});
}

Result<std::unique_ptr<Forward>> Forward::Create(
    const ModelConfig& config, const Weights& weights, const KernelTable& kernels,
    ComputePool& pool, ExpertSource& experts, KvCache& kv, std::uint32_t rows_max,
    std::uint32_t logit_rows_max, ActivationObserver* observer, LogitSink logit_sink) {
  const WorkspaceLimits limits = {rows_max, logit_rows_max, pool.thread_count()};
  EDGEMOE_ASSIGN_OR_FAIL(Workspace workspace, Workspace::Create(config, limits));
  return std::make_unique<Transformer>(config, weights, kernels, pool, experts, kv, limits,
                                       std::move(workspace), observer, std::move(logit_sink));
}

}  // namespace edgemoe
