// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/latent_attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/system/aligned_buffer.h"
#include "engine/model/ops/projection.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

constexpr std::size_t kRowsPerItem = 8;

const LatentAttentionConfig& ConfigOf(const ModelConfig& config, LayerIndex layer) {
  return *config.layers[layer.value].mixer_as<LatentAttentionConfig>();
}

// Where the parts of a thread's scratch begin, in bytes.
struct ScratchLayout {
  std::size_t mixed = 0;
  std::size_t unpacked = 0;
  std::size_t encoded_query = 0;
  std::size_t encoded_latent = 0;
  std::size_t bytes = 0;

  explicit ScratchLayout(const LatentAttentionConfig& config) {
    const auto floats = [](std::size_t rows, std::size_t columns) {
      return AlignUp(rows * columns * sizeof(float), kRowAlignment);
    };
    mixed = floats(kRowsPerItem, config.key_size());
    unpacked = mixed + floats(kRowsPerItem, config.latent_size);
    encoded_query = unpacked + floats(1, config.latent_size);
    encoded_latent = encoded_query + kRowsPerItem * EncodedStrideMax(config.unrotated_size);
    bytes = encoded_latent + kRowsPerItem * EncodedStrideMax(config.latent_size);
  }
};

// One head's matrix of a tensor of many.
struct HeadMatrix {
  TensorType type;
  const std::byte* bytes;
  std::uint64_t row_bytes;
  std::size_t rows;
  std::size_t columns;

  const std::byte* row(std::size_t r) const { return bytes + r * row_bytes; }
};

// Rows [begin, begin + rows) of those that each of the heads has in `matrix`.
HeadMatrix OfHead(const MatrixView& matrix, std::size_t head_count, std::size_t head,
                  std::size_t begin, std::size_t rows) {
  const std::size_t rows_each = matrix.rows / head_count;
  return {matrix.type, matrix.bytes + (head * rows_each + begin) * matrix.row_bytes,
          matrix.row_bytes, rows, matrix.columns};
}

// Rows [count, columns] that are `stride` floats apart.
struct Rows {
  const float* first;
  std::size_t stride;
  std::size_t count;
};

// Where their products go: row t of them at t * stride.
struct Products {
  float* first;
  std::size_t stride;
};

// y[t] = matrix * x[t]; `encoded` is room for the rows.
void Multiply(const KernelTable& kernels, const HeadMatrix& matrix, const Rows& x,
              std::byte* encoded, const Products& y) {
  const ActivationType type = ActivationTypeFor(matrix.type);
  MatMulArgs args;
  args.weights = matrix.bytes;
  args.weight_row_bytes = matrix.row_bytes;
  args.row_begin = 0;
  args.row_end = matrix.rows;
  args.columns = matrix.columns;
  args.x = encoded;
  args.x_row_bytes = EncodedStride(type, matrix.columns);
  args.token_count = x.count;
  args.y = y.first;
  args.y_stride = y.stride;
  for (std::size_t t = 0; t < x.count; ++t)
    kernels.encode[static_cast<std::size_t>(type)](x.first + t * x.stride, matrix.columns,
                                                   encoded + t * args.x_row_bytes);
  kernels.mat_mul[static_cast<std::size_t>(matrix.type)](args);
}

}  // namespace

// YaRN's growth stands here where a log multiplier gives it, and is left out of the rotation. Where
// none does it is part of both.
float ScoreScale(const LatentAttentionConfig& config) {
  const RopeConfig& rope = config.rope;
  const double stretch = std::log(static_cast<double>(rope.factor));
  const double multiplier = static_cast<double>(config.log_multiplier);
  const bool yarn = rope.scaling == RopeScaling::kYarn && rope.extrapolation != 0.0F;
  double length = static_cast<double>(rope.attention_factor) * (1.0 + multiplier * stretch);
  if (!yarn || multiplier == 0.0) length *= 1.0 + 0.1 * stretch;
  return static_cast<float>(length * length / std::sqrt(config.query_size()));
}

std::size_t LatentAttention::ScratchBytes(const ModelConfig& config) {
  std::size_t most = 0;
  for (const LayerConfig& layer : config.layers)
    if (const auto* const latent = layer.mixer_as<LatentAttentionConfig>())
      most = std::max(most, ScratchLayout(*latent).bytes);
  return most;
}

LatentAttention::LatentAttention(const OpContext& context, const RopeTables& rope)
    : context_(context),
      rope_(rope),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width),
      encoded_query_latent_(context.kernels, context.pool, context.workspace.encoded_query_latent,
                            context.rows_max, context.config.query_latent_size_max()),
      encoded_attended_(context.kernels, context.pool, context.workspace.encoded_heads,
                        context.rows_max, context.config.attended_size_max()) {}

void LatentAttention::Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  const LatentAttentionConfig& config = ConfigOf(context_.config, layer);
  ProjectInputs(layer, weights, rows);
  context_.pool.ParallelFor(
      rows.count(), [&](std::size_t i, std::size_t) { PrepareRow(layer, weights, rows, i); });
  const std::size_t blocks = (rows.count() + kRowsPerItem - 1) / kRowsPerItem;
  context_.pool.ParallelFor(blocks * config.head_count, [&](std::size_t i, std::size_t thread) {
    const Item item = ItemOf(config, i, rows.count(), thread);
    Absorb(config, weights, item);
    Attend(layer, rows, item);
    Release(config, weights, item);
  });
  ProjectOutput(layer, weights, rows);
}

void LatentAttention::ProjectInputs(LayerIndex layer, const LayerWeights& weights,
                                    const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const KernelTable& kernels = context_.kernels;
  const float epsilon = context_.config.rms_epsilon;
  const LatentAttentionConfig& config = ConfigOf(context_.config, layer);
  encoded_x_.Set(w.normed, rows.count());
  const bool from_latent = config.query_latent_size > 0;
  const TensorRole query = from_latent ? TensorRole::kQueryDown : TensorRole::kQuery;
  const std::array down = {Projection{&weights.matrix(query), from_latent ? w.query_latent : w.q},
                           Projection{&weights.matrix(TensorRole::kKeyValueDown), w.k}};
  Project(down, encoded_x_, rows.count(), kernels, context_.pool);
  if (!from_latent) return;

  const float* const latent_norm = weights.floats(TensorRole::kQueryDownNorm);
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    float* const latent = w.query_latent + i * config.query_latent_size;
    kernels.rms_norm(latent, latent_norm, config.query_latent_size, epsilon, latent);
  });
  encoded_query_latent_.Set(w.query_latent, rows.count(), config.query_latent_size);
  const std::array up = {Projection{&weights.matrix(TensorRole::kQueryUp), w.q}};
  Project(up, encoded_query_latent_, rows.count(), kernels, context_.pool);
}

void LatentAttention::PrepareRow(LayerIndex layer, const LayerWeights& weights,
                                 const ActiveRows& rows, std::size_t i) {
  const LatentAttentionConfig& config = ConfigOf(context_.config, layer);
  const KernelTable& kernels = context_.kernels;
  const float* const cosines = rope_.cosines(layer, rows.origin(i));
  const float* const sines = rope_.sines(layer, rows.origin(i));
  float* const key = context_.workspace.k + i * config.key_size();
  kernels.rms_norm(key, weights.floats(TensorRole::kKeyValueDownNorm), config.latent_size,
                   context_.config.rms_epsilon, key);
  RotateHead(config.rope, kernels, cosines, sines, key + config.latent_size);
  float* const queries = context_.workspace.q + i * config.head_count * config.query_size();
  for (std::size_t head = 0; head < config.head_count; ++head)
    RotateHead(config.rope, kernels, cosines, sines,
               queries + head * config.query_size() + config.unrotated_size);
  const BatchRow& row = rows.row(i);
  kernels.to_half(key, config.key_size(), row.sequence->Keys(layer, row.position));
}

LatentAttention::Item LatentAttention::ItemOf(const LatentAttentionConfig& config,
                                              std::size_t index, std::size_t row_count,
                                              std::size_t thread) {
  const Workspace& w = context_.workspace;
  const ScratchLayout layout(config);
  std::byte* const scratch = w.latent_scratch + thread * ScratchBytes(context_.config);
  Item item;
  item.head = index % config.head_count;
  item.first = index / config.head_count * kRowsPerItem;
  item.count = std::min(kRowsPerItem, row_count - item.first);
  item.scores = w.scores + thread * (std::size_t{context_.config.context_length} + 1);
  item.absorbed = reinterpret_cast<float*>(scratch);
  item.mixed = reinterpret_cast<float*>(scratch + layout.mixed);
  item.unpacked = reinterpret_cast<float*>(scratch + layout.unpacked);
  item.encoded_query = scratch + layout.encoded_query;
  item.encoded_latent = scratch + layout.encoded_latent;
  return item;
}

void LatentAttention::Absorb(const LatentAttentionConfig& config, const LayerWeights& weights,
                             const Item& item) {
  const std::size_t stride = config.head_count * config.query_size();
  const float* const queries =
      context_.workspace.q + item.first * stride + item.head * config.query_size();
  const std::size_t key_size = config.key_size();
  for (std::size_t t = 0; t < item.count; ++t)
    std::copy_n(queries + t * stride + config.unrotated_size, config.rope.dimension_count,
                item.absorbed + t * key_size + config.latent_size);
  if (!config.joined_up) {
    const HeadMatrix keys = OfHead(weights.matrix(TensorRole::kKeyUp), config.head_count, item.head,
                                   0, config.latent_size);
    Multiply(context_.kernels, keys, {queries, stride, item.count}, item.encoded_query,
             {item.absorbed, key_size});
    return;
  }
  // The matrix makes keys of latents: its rows are added up by the query.
  const HeadMatrix keys = OfHead(weights.matrix(TensorRole::kKeyValueUp), config.head_count,
                                 item.head, 0, config.unrotated_size);
  for (std::size_t t = 0; t < item.count; ++t)
    std::fill_n(item.absorbed + t * key_size, config.latent_size, 0.0F);
  for (std::size_t r = 0; r < keys.rows; ++r) {
    DequantizeRow(keys.type, keys.row(r), config.latent_size, item.unpacked);
    for (std::size_t t = 0; t < item.count; ++t)
      context_.kernels.add_scaled(item.unpacked, queries[t * stride + r], config.latent_size,
                                  item.absorbed + t * key_size);
  }
}

void LatentAttention::Attend(LayerIndex layer, const ActiveRows& rows, const Item& item) {
  const LatentAttentionConfig& config = ConfigOf(context_.config, layer);
  const KernelTable& kernels = context_.kernels;
  const std::size_t key_size = config.key_size();
  const float scale = ScoreScale(config);
  for (std::size_t t = 0; t < item.count; ++t) {
    const BatchRow& row = rows.row(item.first + t);
    const std::uint32_t end = row.position + 1;
    float* const mixed = item.mixed + t * config.latent_size;
    for (std::uint32_t begin = 0; begin < end; begin += kStateBlockTokens)
      kernels.attention_scores(item.absorbed + t * key_size, row.sequence->Keys(layer, begin),
                               key_size, std::min(kStateBlockTokens, end - begin), key_size, scale,
                               item.scores + begin);
    kernels.softmax(item.scores, end);
    std::fill_n(mixed, config.latent_size, 0.0F);
    for (std::uint32_t begin = 0; begin < end; begin += kStateBlockTokens)
      kernels.attention_mix(item.scores + begin, row.sequence->Keys(layer, begin), key_size,
                            std::min(kStateBlockTokens, end - begin), config.latent_size, mixed);
  }
}

void LatentAttention::Release(const LatentAttentionConfig& config, const LayerWeights& weights,
                              const Item& item) {
  const HeadMatrix values = config.joined_up
                                ? OfHead(weights.matrix(TensorRole::kKeyValueUp), config.head_count,
                                         item.head, config.unrotated_size, config.value_size)
                                : OfHead(weights.matrix(TensorRole::kValueUp), config.head_count,
                                         item.head, 0, config.value_size);
  const std::size_t stride = config.values_size();
  Multiply(
      context_.kernels, values, {item.mixed, config.latent_size, item.count}, item.encoded_latent,
      {context_.workspace.attended + item.first * stride + item.head * config.value_size, stride});
}

void LatentAttention::ProjectOutput(LayerIndex layer, const LayerWeights& weights,
                                    const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const std::size_t values_size = ConfigOf(context_.config, layer).values_size();
  if (context_.observer != nullptr) {
    context_.observer->OnDense(DenseInput::kAttentionOutput, layer, w.attended, rows.count(),
                               values_size);
  }
  encoded_attended_.Set(w.attended, rows.count(), values_size);
  const std::array output = {Projection{&weights.matrix(TensorRole::kAttentionOutput), w.delta}};
  Project(output, encoded_attended_, rows.count(), context_.kernels, context_.pool);
}

}  // namespace edgemoe
