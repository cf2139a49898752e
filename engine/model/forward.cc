// SPDX-License-Identifier: Apache-2.0
#include "engine/model/forward.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/model/active_rows.h"
#include "engine/model/ops/attention.h"
#include "engine/model/ops/delta_net.h"
#include "engine/model/ops/dense_feed_forward.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/expert_feed_forward.h"
#include "engine/model/ops/latent_attention.h"
#include "engine/model/ops/mamba2.h"
#include "engine/model/ops/projection.h"
#include "engine/model/ops/residual_stream.h"
#include "engine/model/ops/rope.h"
#include "engine/model/ops/short_convolution.h"
#include "engine/model/workspace.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

void Scale(float factor, float* x, std::size_t count) {
  if (factor == 1.0F) return;
  for (std::size_t i = 0; i < count; ++i) x[i] *= factor;
}

class Transformer final : public Forward {
 public:
  Transformer(const ModelConfig& config, const Parts& parts, Options options, Workspace workspace)
      : config_(config),
        parts_(parts),
        options_(std::move(options)),
        workspace_(std::move(workspace)),
        context_{config_,    parts.kernels,     parts.pool,
                 workspace_, options_.rows_max, options_.observer},
        rows_(options_.rows_max),
        rope_(config_, parts.weights.rope_factors, options_.rows_max, workspace_.rope),
        attention_(context_, rope_),
        latent_attention_(context_, rope_),
        short_convolution_(context_),
        mamba2_(context_),
        delta_net_(context_),
        dense_feed_forward_(context_),
        expert_feed_forward_(context_, parts.experts, dense_feed_forward_),
        encoded_output_(parts.kernels, parts.pool, workspace_.encoded_width, options_.rows_max,
                        config.width),
        logit_rows_(options_.logit_rows_max) {}

  void Run(std::span<const BatchRow> rows, std::span<RowResult> results) override {
    EDGEMOE_CHECK(!rows.empty() && rows.size() <= options_.rows_max, "too many rows, or none");
    EDGEMOE_CHECK(rows.size() == results.size(), "one result a row");
    rows_.Start(rows, results);
    parts_.experts.BeginStep();
    Embed(rows);
    rope_.SetPositions(rows);
    for (std::uint32_t layer = 0; layer < config_.layer_count(); ++layer) {
      rows_.FailCancelled();
      rows_.Compact(workspace_.x, config_.width);
      if (rows_.count() == 0) return;
      Mix(LayerIndex{layer});
      parts_.experts.Advance();
      FeedForward(layer);
      if (options_.heartbeat != nullptr) options_.heartbeat->Beat();
    }
    rows_.Compact(workspace_.x, config_.width);
    ComputeHidden();
    ComputeLogits();
  }

 private:
  void Mix(LayerIndex layer) {
    const LayerWeights& weights = parts_.weights.layers[layer.value];
    const LayerConfig& config = config_.layers[layer.value];
    NormRows(context_, workspace_.x, weights.floats(TensorRole::kAttentionNorm), rows_.count(),
             workspace_.normed);
    if (options_.observer != nullptr) {
      options_.observer->OnDense(DenseInput::kAttention, layer, workspace_.normed, rows_.count(),
                                 config_.width);
    }
    if (config.mixer_as<ShortConvolutionConfig>() != nullptr) {
      short_convolution_.Run(layer, weights, rows_);
    } else if (config.mixer_as<Mamba2Config>() != nullptr) {
      mamba2_.Run(layer, weights, rows_);
    } else if (config.mixer_as<LatentAttentionConfig>() != nullptr) {
      latent_attention_.Run(layer, weights, rows_);
    } else if (config.mixer_as<DeltaNetConfig>() != nullptr) {
      delta_net_.Run(layer, weights, rows_);
    } else {
      attention_.Run(layer, weights, rows_);
    }
    AddDelta(context_, MixerDelta(weights), rows_.count());
  }

  void FeedForward(std::uint32_t layer) {
    const LayerWeights& weights = parts_.weights.layers[layer];
    if (config_.layers[layer].experts) {
      expert_feed_forward_.Run(LayerIndex{layer}, weights, NextWithExperts(layer), rows_);
    } else {
      dense_feed_forward_.Run(LayerIndex{layer}, weights, rows_);
    }
  }

  std::optional<ExpertFeedForward::NextLayer> NextWithExperts(std::uint32_t layer) const {
    for (std::uint32_t next = layer + 1; next < config_.layer_count(); ++next)
      if (config_.layers[next].experts)
        return ExpertFeedForward::NextLayer{LayerIndex{next}, &parts_.weights.layers[next]};
    return std::nullopt;
  }

  void Embed(std::span<const BatchRow> rows) {
    const MatrixView& embedding = parts_.weights.embedding;
    parts_.pool.ParallelFor(rows.size(), [&](std::size_t i, std::size_t) {
      const auto token = static_cast<std::uint32_t>(rows[i].token.value);
      EDGEMOE_CHECK(token < config_.vocabulary_size, "token outside the vocabulary");
      EDGEMOE_CHECK(
          rows[i].position < config_.context_length && rows[i].sequence->Has(rows[i].position),
          "position without room");
      DequantizeRow(embedding.type, embedding.bytes + token * embedding.row_bytes, config_.width,
                    workspace_.x + i * config_.width);
      Scale(config_.embedding_scale, workspace_.x + i * config_.width, config_.width);
    });
  }

  // From the end of `normed`: ComputeLogits fills it from the beginning.
  void ComputeHidden() {
    float* out = workspace_.normed + options_.rows_max * config_.width;
    for (std::size_t i = 0; i < rows_.count(); ++i) {
      if (!rows_.row(i).wants_hidden) continue;
      EDGEMOE_CHECK(!rows_.row(i).wants_logits, "a row wants logits and its hidden state");
      out -= config_.width;
      NormOutput(i, out);
      rows_.result(i).hidden = {out, config_.width};
    }
  }

  // Active row i after the last norm, to `out` [width].
  void NormOutput(std::size_t i, float* out) {
    parts_.kernels.rms_norm(workspace_.x + i * config_.width, parts_.weights.output_norm,
                            config_.width, config_.rms_epsilon, out);
  }

  void ComputeLogits() {
    std::size_t count = 0;
    for (std::size_t i = 0; i < rows_.count(); ++i) {
      if (!rows_.row(i).wants_logits) continue;
      if (count == options_.logit_rows_max) {
        EDGEMOE_CHECK(options_.logit_sink != nullptr, "too many rows want logits");
        ProjectLogits(count);
        count = 0;
      }
      NormOutput(i, workspace_.normed + count * config_.width);
      logit_rows_[count++] = i;
    }
    if (count > 0) ProjectLogits(count);
  }

  // The output of the first `count` of logit_rows_, which are normed.
  void ProjectLogits(std::size_t count) {
    if (options_.observer != nullptr) {
      options_.observer->OnDense(DenseInput::kOutput, LayerIndex{config_.layer_count() - 1},
                                 workspace_.normed, count, config_.width);
    }
    encoded_output_.Set(workspace_.normed, count);
    const std::array output = {Projection{&parts_.weights.output, workspace_.logits}};
    Project(output, encoded_output_, count, parts_.kernels, parts_.pool);
    Scale(config_.logit_scale, workspace_.logits, count * config_.vocabulary_size);
    if (config_.logit_softcap != 0.0F) CapLogits(count * config_.vocabulary_size);
    for (std::size_t i = 0; i < count; ++i) {
      float* const logits = workspace_.logits + i * config_.vocabulary_size;
      for (const TokenId token : config_.suppressed_tokens)
        logits[token.value] = -std::numeric_limits<float>::infinity();
      if (options_.logit_sink) {
        options_.logit_sink(rows_.row(logit_rows_[i]), {logits, config_.vocabulary_size});
      } else {
        rows_.result(logit_rows_[i]).logits = logits;
      }
    }
  }

  void CapLogits(std::size_t logit_count) {
    constexpr std::size_t kEach = 4096;
    parts_.pool.ParallelFor((logit_count + kEach - 1) / kEach, [&](std::size_t i, std::size_t) {
      parts_.kernels.soft_cap(workspace_.logits + i * kEach,
                              std::min(kEach, logit_count - i * kEach), config_.logit_softcap);
    });
  }

  const ModelConfig config_;
  const Parts parts_;
  const Options options_;
  Workspace workspace_;
  const OpContext context_;
  ActiveRows rows_;
  RopeTables rope_;
  Attention attention_;
  LatentAttention latent_attention_;
  ShortConvolution short_convolution_;
  Mamba2 mamba2_;
  DeltaNet delta_net_;
  DenseFeedForward dense_feed_forward_;
  ExpertFeedForward expert_feed_forward_;
  EncodedRows encoded_output_;
  std::vector<std::size_t> logit_rows_;  // [logit_rows_max], the active rows that are projected
};

}  // namespace

std::uint64_t Forward::WorkspaceBytes(const ModelConfig& config, std::uint32_t rows_max,
                                      std::uint32_t logit_rows_max, std::size_t thread_count) {
  return Workspace::Bytes(config, {rows_max, logit_rows_max, thread_count});
}

Result<std::unique_ptr<Forward>> Forward::Create(const ModelConfig& config, const Parts& parts,
                                                 Options options) {
  const WorkspaceLimits limits = {options.rows_max, options.logit_rows_max,
                                  parts.pool.thread_count()};
  EDGEMOE_ASSIGN_OR_FAIL(Workspace workspace, Workspace::Create(config, limits));
  return std::make_unique<Transformer>(config, parts, std::move(options), std::move(workspace));
}

}  // namespace edgemoe
