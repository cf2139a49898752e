// SPDX-License-Identifier: Apache-2.0
#include "engine/model/attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/model/projection.h"

namespace edgemoe {

AttentionLayer::AttentionLayer(const ModelConfig& config, const KernelTable& kernels,
                               ComputePool& pool, KvCache& kv, Workspace& workspace,
                               std::uint32_t rows_max, ActivationObserver* observer)
    : config_(config),
      kernels_(kernels),
      pool_(pool),
      kv_(kv),
      workspace_(workspace),
      observer_(observer),
      encoded_x_(kernels, pool, workspace.encoded_width, rows_max, config.width),
      encoded_attended_(kernels, pool, workspace.encoded_heads, rows_max,
                        std::size_t{config.head_count} * config.head_size),
      frequencies_(config.head_size / 2) {
  for (std::size_t i = 0; i < frequencies_.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / config.head_size;
    frequencies_[i] = std::pow(static_cast<double>(config.rope_base), exponent);
  }
}

void AttentionLayer::SetPositions(std::span<const BatchRow> rows) {
  const std::size_t half = frequencies_.size();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = rows[r].position * frequencies_[i];
      workspace_.cosines[r * half + i] = static_cast<float>(std::cos(angle));
      workspace_.sines[r * half + i] = static_cast<float>(std::sin(angle));
    }
  }
}

void AttentionLayer::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  Workspace& w = workspace_;
  const std::size_t width = config_.width;
  const std::size_t heads = config_.head_count;
  const std::size_t head_size = config_.head_size;
  const std::size_t group = config_.head_count / config_.kv_head_count;

  pool_.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    kernels_.rms_norm(w.x + i * width, weights.attention_norm, width, config_.rms_epsilon,
                      w.normed + i * width);
  });
  if (observer_ != nullptr) {
    observer_->OnDense(DenseInput::kAttention, layer, w.normed, rows.count(), width);
  }
  encoded_x_.Set(w.normed, rows.count());
  const std::array qkv = {Projection{&weights.q, w.q}, Projection{&weights.k, w.k},
                          Projection{&weights.v, w.v}};
  Project(qkv, encoded_x_, rows.count(), kernels_, pool_);

  pool_.ParallelFor(rows.count(),
                    [&](std::size_t i, std::size_t) { PrepareRow(layer, weights, rows, i); });
  pool_.ParallelFor(rows.count() * heads, [&](std::size_t item, std::size_t thread) {
    Attend(layer, rows.row(item / heads), w.q + item * head_size, item % heads / group,
           w.scores + thread * config_.context_length, w.attended + item * head_size);
  });

  if (observer_ != nullptr) {
    observer_->OnDense(DenseInput::kAttentionOutput, layer, w.attended, rows.count(),
                       heads * head_size);
  }
  encoded_attended_.Set(w.attended, rows.count());
  const std::array output = {Projection{&weights.attention_output, w.delta}};
  Project(output, encoded_attended_, rows.count(), kernels_, pool_);
  pool_.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    kernels_.add_scaled(w.delta + i * width, 1.0F, width, w.x + i * width);
  });
}

void AttentionLayer::PrepareRow(LayerIndex layer, const LayerWeights& weights,
                                const ActiveRows& rows, std::size_t i) {
  const std::size_t head_size = config_.head_size;
  const float* const cosines = workspace_.cosines + rows.origin(i) * (head_size / 2);
  const float* const sines = workspace_.sines + rows.origin(i) * (head_size / 2);
  const auto prepare = [&](float* head, const float* norm) {
    kernels_.rms_norm(head, norm, head_size, config_.rms_epsilon, head);
    kernels_.rope_neox(head, head_size, cosines, sines);
  };
  float* const q = workspace_.q + i * config_.head_count * head_size;
  for (std::size_t h = 0; h < config_.head_count; ++h) prepare(q + h * head_size, weights.q_norm);
  const std::size_t kv_size = config_.kv_head_count * head_size;
  float* const k = workspace_.k + i * kv_size;
  for (std::size_t h = 0; h < config_.kv_head_count; ++h) {
    prepare(k + h * head_size, weights.k_norm);
  }

  const BatchRow& row = rows.row(i);
  const std::uint32_t block = row.sequence->blocks()[row.position / kKvBlockTokens];
  const std::size_t place = row.position % kKvBlockTokens * kv_size;
  kernels_.to_half(k, kv_size, kv_.Keys(block, layer) + place);
  kernels_.to_half(workspace_.v + i * kv_size, kv_size, kv_.Values(block, layer) + place);
}

void AttentionLayer::Attend(LayerIndex layer, const BatchRow& row, const float* q,
                            std::size_t kv_head, float* scores, float* out) {
  const std::size_t head_size = config_.head_size;
  const std::size_t stride = config_.kv_head_count * head_size;
  const std::size_t length = std::size_t{row.position} + 1;
  const std::span<const std::uint32_t> blocks = row.sequence->blocks();
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_size));

  for (std::size_t begin = 0; begin < length; begin += kKvBlockTokens) {
    const std::size_t count = std::min<std::size_t>(kKvBlockTokens, length - begin);
    const std::uint16_t* keys = kv_.Keys(blocks[begin / kKvBlockTokens], layer);
    kernels_.attention_scores(q, keys + kv_head * head_size, stride, count, head_size, scale,
                              scores + begin);
  }
  kernels_.softmax(scores, length);
  std::fill_n(out, head_size, 0.0F);
  for (std::size_t begin = 0; begin < length; begin += kKvBlockTokens) {
    const std::size_t count = std::min<std::size_t>(kKvBlockTokens, length - begin);
    const std::uint16_t* values = kv_.Values(blocks[begin / kKvBlockTokens], layer);
    kernels_.attention_mix(scores + begin, values + kv_head * head_size, stride, count, head_size,
                           out);
  }
}

}  // namespace edgemoe
