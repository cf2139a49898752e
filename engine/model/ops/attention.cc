// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/model/ops/projection.h"

namespace edgemoe {
namespace {

void ApplyGate(const float* gate, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] /= 1.0F + std::exp(-gate[i]);
}

}  // namespace

Attention::Attention(const OpContext& context, const RopeTables& rope)
    : context_(context),
      rope_(rope),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width),
      encoded_attended_(context.kernels, context.pool, context.workspace.encoded_heads,
                        context.rows_max, context.config.attended_size_max()),
      ones_(kHeadSizeMax, 1.0F) {}

void Attention::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  const std::size_t heads = context_.config.layers[layer.value].attention().head_count;
  ProjectInputs(layer, weights, rows);
  context_.pool.ParallelFor(
      rows.count(), [&](std::size_t i, std::size_t) { PrepareRow(layer, weights, rows, i); });
  const std::size_t scores_each = std::size_t{context_.config.context_length} + 1;
  context_.pool.ParallelFor(rows.count() * heads, [&](std::size_t item, std::size_t thread) {
    Attend(layer, weights, rows, item, context_.workspace.scores + thread * scores_each);
  });
  ProjectOutput(layer, weights, rows);
}

void Attention::ProjectInputs(LayerIndex layer, const LayerWeights& weights,
                              const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  encoded_x_.Set(w.normed, rows.count());
  const std::array qkv = {Projection{&weights.matrix(TensorRole::kQuery), w.q},
                          Projection{&weights.matrix(TensorRole::kKey), w.k},
                          Projection{&weights.matrix(TensorRole::kValue), w.v}};
  const bool has_values = weights.matrix(TensorRole::kValue).bytes != nullptr;
  Project(std::span(qkv).first(has_values ? 3 : 2), encoded_x_, rows.count(), context_.kernels,
          context_.pool);
  const std::size_t kv_size = context_.config.layers[layer.value].attention().kv_size();
  if (!has_values) std::copy_n(w.k, rows.count() * kv_size, w.v);
}

void Attention::PrepareRow(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                           std::size_t i) {
  const AttentionConfig& config = context_.config.layers[layer.value].attention();
  const KernelTable& kernels = context_.kernels;
  float* const q = context_.workspace.q + i * config.q_rows();
  float* const k = context_.workspace.k + i * config.kv_size();
  float* const v = context_.workspace.v + i * config.kv_size();
  const auto add_bias = [&](TensorRole role, std::size_t size, float* to) {
    if (const float* const bias = weights.floats(role)) kernels.add_scaled(bias, 1.0F, size, to);
  };
  add_bias(TensorRole::kQueryBias, config.q_rows(), q);
  add_bias(TensorRole::kKeyBias, config.kv_size(), k);
  add_bias(TensorRole::kValueBias, config.kv_size(), v);
  const float* const q_norm = weights.floats(TensorRole::kQueryNorm);
  const float* const k_norm = weights.floats(TensorRole::kKeyNorm);
  if (config.qk_norm == QkNorm::kRow) {
    const float epsilon = context_.config.rms_epsilon;
    kernels.rms_norm(q, q_norm, config.q_size(), epsilon, q);
    kernels.rms_norm(k, k_norm, config.kv_size(), epsilon, k);
  }
  const std::size_t q_stride = config.q_rows() / config.head_count;
  PrepareHeads(layer, rows.origin(i), q_norm, {q, config.head_count, q_stride});
  PrepareHeads(layer, rows.origin(i), k_norm, {k, config.kv_head_count, config.head_size});
  for (std::size_t h = 0; config.value_norm && h < config.kv_head_count; ++h) {
    float* const head = v + h * config.head_size;
    kernels.rms_norm(head, ones_.data(), config.head_size, context_.config.rms_epsilon, head);
  }

  const BatchRow& row = rows.row(i);
  kernels.to_half(k, config.kv_size(), row.sequence->Keys(layer, row.position));
  kernels.to_half(v, config.kv_size(), row.sequence->Values(layer, row.position));
}

void Attention::PrepareHeads(LayerIndex layer, std::size_t row, const float* norm,
                             const Heads& heads) {
  const AttentionConfig& config = context_.config.layers[layer.value].attention();
  const float* const cosines = rope_.cosines(layer, row);
  const float* const sines = rope_.sines(layer, row);
  for (std::size_t h = 0; h < heads.count; ++h) {
    float* const head = heads.first + h * heads.stride;
    if (config.qk_norm == QkNorm::kHead) {
      context_.kernels.rms_norm(head, norm, config.head_size, context_.config.rms_epsilon, head);
    }
    RotateHead(config.rope, context_.kernels, cosines, sines, head);
  }
}

void Attention::Attend(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                       std::size_t item, float* scores) {
  const AttentionConfig& config = context_.config.layers[layer.value].attention();
  const KernelTable& kernels = context_.kernels;
  const std::size_t head = item % config.head_count;
  const BatchRow& row = rows.row(item / config.head_count);
  const std::size_t q_stride = config.q_rows() / config.head_count;
  const float* const q = context_.workspace.q + item * q_stride;
  float* const out = context_.workspace.attended + item * config.head_size;
  const std::size_t kv_begin = head / (config.head_count / config.kv_head_count) * config.head_size;
  const std::size_t stride = config.kv_size();
  const std::uint32_t end = row.position + 1;
  const std::uint32_t first = config.window == 0 || config.window >= end ? 0 : end - config.window;
  const float scale = config.score_scale != 0.0F
                          ? config.score_scale
                          : 1.0F / std::sqrt(static_cast<float>(config.head_size));

  // Positions [begin, end_of(begin)) stand together in a block.
  const auto end_of = [&](std::uint32_t begin) {
    return std::min(end, begin / kStateBlockTokens * kStateBlockTokens + kStateBlockTokens);
  };
  for (std::uint32_t begin = first; begin < end; begin = end_of(begin)) {
    const std::uint16_t* const keys = row.sequence->Keys(layer, begin) + kv_begin;
    kernels.attention_scores(q, keys, stride, end_of(begin) - begin, config.head_size, scale,
                             scores + (begin - first));
  }
  std::size_t score_count = end - first;
  if (config.sinks) scores[score_count++] = weights.floats(TensorRole::kSinks)[head];
  kernels.softmax(scores, score_count);
  std::fill_n(out, config.head_size, 0.0F);
  for (std::uint32_t begin = first; begin < end; begin = end_of(begin)) {
    const std::uint16_t* const values = row.sequence->Values(layer, begin) + kv_begin;
    kernels.attention_mix(scores + (begin - first), values, stride, end_of(begin) - begin,
                          config.head_size, out);
  }
  if (config.output_gate) ApplyGate(q + config.head_size, config.head_size, out);
}

void Attention::ProjectOutput(LayerIndex layer, const LayerWeights& weights,
                              const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const AttentionConfig& config = context_.config.layers[layer.value].attention();
  if (context_.observer != nullptr) {
    context_.observer->OnDense(DenseInput::kAttentionOutput, layer, w.attended, rows.count(),
                               config.q_size());
  }
  encoded_attended_.Set(w.attended, rows.count(), config.q_size());
  const std::array output = {Projection{&weights.matrix(TensorRole::kAttentionOutput), w.delta}};
  Project(output, encoded_attended_, rows.count(), context_.kernels, context_.pool);
  const float* const bias = weights.floats(TensorRole::kAttentionOutputBias);
  if (bias == nullptr) return;
  const std::size_t width = context_.config.width;
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    context_.kernels.add_scaled(bias, 1.0F, width, w.delta + i * width);
  });
}

}  // namespace edgemoe
