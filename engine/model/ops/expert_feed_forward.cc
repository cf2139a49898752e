// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/expert_feed_forward.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/model/ops/activation.h"
#include "engine/model/ops/projection.h"
#include "engine/model/ops/residual_stream.h"

namespace edgemoe {
namespace {

constexpr std::size_t Index(ExpertRole role) { return static_cast<std::size_t>(role); }

// `biases` [experts, rows], or null.
const float* BiasOf(const float* biases, ExpertIndex expert, std::size_t rows) {
  return biases == nullptr ? nullptr : biases + expert.value * rows;
}

RouterVectors VectorsOf(const LayerWeights& weights) {
  return {.logit_bias = weights.floats(TensorRole::kRouterBias),
          .selection_bias = weights.floats(TensorRole::kSelectionBias),
          .weight_scale = weights.floats(TensorRole::kExpertScale)};
}

}  // namespace

ExpertFeedForward::ExpertFeedForward(const OpContext& context, ExpertSource& source,
                                     DenseFeedForward& dense)
    : context_(context),
      source_(source),
      dense_(dense),
      encoded_x_(context.kernels, context.pool, context.workspace.encoded_width, context.rows_max,
                 context.config.width),
      encoded_branch_(context.kernels, context.pool, context.workspace.encoded_branch,
                      context.rows_max,
                      context.config.has_branch_norms() ? context.config.width : 0),
      encoded_guess_(context.kernels, context.pool, context.workspace.encoded_guess, kGuessRowsMax,
                     context.config.width),
      uses_(context.rows_max, context.config.expert_used_count, context.config.expert_count),
      routed_(context.rows_max) {
  given_.reserve(context.config.expert_count);
}

void ExpertFeedForward::Run(LayerIndex layer, const LayerWeights& weights,
                            const std::optional<NextLayer>& next, ActiveRows& rows) {
  Route(layer, weights, rows);
  const ExpertIoAccount before = source_.account();
  given_.clear();
  Begin(layer, rows);
  if (next) GuessNext(*next, rows.count());
  // While missing experts are on their way.
  if (LayerOf(layer).dense_width > 0) ComputeDense(layer, weights, rows.count());
  while (const std::size_t count = source_.NextReady(ready_)) {
    const std::span<const ReadyExpert> ready(ready_.data(), count);
    for (const ReadyExpert& expert : ready) given_.push_back(expert.expert);
    for (std::size_t begin = 0; begin < count;) {
      const std::size_t size = WaveSize(ready.subspan(begin));
      ComputeWave(layer, weights, PrepareWave(ready.subspan(begin, size), rows));
      begin += size;
    }
    source_.Release(ready);
  }
  Charge(before, rows);
  Combine(layer, weights, rows);
  AddDelta(context_, FeedForwardDelta(weights), rows.count());
}

void ExpertFeedForward::Route(LayerIndex layer, const LayerWeights& weights,
                              const ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  const std::size_t expert_count = context_.config.expert_count;
  const RouterVectors vectors = VectorsOf(weights);
  const bool branch_norms = LayerOf(layer).branch_norms;
  const TensorRole norm = branch_norms ? TensorRole::kExpertsNorm : TensorRole::kFeedForwardNorm;
  NormRows(context_, w.x, weights.floats(norm), rows.count(), w.normed);
  if (context_.observer != nullptr) {
    context_.observer->OnDense(DenseInput::kFfn, layer, w.normed, rows.count(), width);
  }
  encoded_x_.Set(w.normed, rows.count());
  if (branch_norms) EncodeBranch(weights.floats(TensorRole::kRouterNorm), rows.count());
  const std::array projection = {Projection{&weights.matrix(TensorRole::kRouter), w.router}};
  Project(projection, branch_norms ? encoded_branch_ : encoded_x_, rows.count(), context_.kernels,
          context_.pool);
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    ChooseExperts(ConfigOf(layer), context_.kernels, vectors,
                  {w.router + i * expert_count, expert_count}, uses_.ChoicesOf(i));
  });
  uses_.Group(rows.count());
}

void ExpertFeedForward::EncodeBranch(const float* norm, std::size_t row_count) {
  Workspace& w = context_.workspace;
  NormRows(context_, w.x, norm, row_count, w.branch_normed);
  encoded_branch_.Set(w.branch_normed, row_count);
}

void ExpertFeedForward::ComputeDense(LayerIndex layer, const LayerWeights& weights,
                                     std::size_t row_count) {
  Workspace& w = context_.workspace;
  if (!LayerOf(layer).branch_norms)
    return dense_.Compute(layer, weights, row_count, encoded_x_, w.dense_out);
  EncodeBranch(weights.floats(TensorRole::kFeedForwardNorm), row_count);
  dense_.Compute(layer, weights, row_count, encoded_branch_, w.dense_out);
  NormRows(context_, w.dense_out, weights.floats(TensorRole::kDensePostNorm), row_count,
           w.dense_out);
}

void ExpertFeedForward::Begin(LayerIndex layer, const ActiveRows& rows) {
  for (std::size_t i = 0; i < rows.count(); ++i) {
    const BatchRow& row = rows.row(i);
    routed_[i] = {.request = row.request,
                  .session = row.session,
                  .phase = row.phase,
                  .position = row.position,
                  .choices = uses_.ChoicesOf(i)};
  }
  source_.Begin(ConfigOf(layer).index, std::span(routed_).first(rows.count()), uses_.experts());
}

// Before the experts of this layer have added theirs to x: their bytes are on the way meanwhile.
void ExpertFeedForward::GuessNext(const NextLayer& next, std::size_t row_count) {
  const ExpertsConfig& config = ConfigOf(next.layer);
  const std::size_t expert_count = context_.config.expert_count;
  const std::size_t per_row =
      std::min<std::size_t>(source_.guesses_wanted(config.index), expert_count);
  if (per_row == 0) return;
  EDGEMOE_CHECK(row_count <= kGuessRowsMax && per_row <= kGuessesPerRowMax, "too many guesses");
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  const float* const norm = next.weights->floats(
      LayerOf(next.layer).branch_norms ? TensorRole::kRouterNorm : TensorRole::kFeedForwardNorm);
  for (std::size_t i = 0; i < row_count; ++i) {
    context_.kernels.rms_norm(w.x + i * width, norm, width, context_.config.rms_epsilon,
                              w.guess_normed + i * width);
  }
  encoded_guess_.Set(w.guess_normed, row_count);
  const std::array projection = {
      Projection{&next.weights->matrix(TensorRole::kRouter), w.guess_router}};
  Project(projection, encoded_guess_, row_count, context_.kernels, context_.pool);
  for (std::size_t i = 0; i < row_count; ++i) {
    const std::span guesses(guesses_.data() + i * per_row, per_row);
    ChooseExperts(config, context_.kernels, VectorsOf(*next.weights),
                  {w.guess_router + i * expert_count, expert_count}, guesses);
    routed_[i].choices = guesses;
  }
  source_.Guess(config.index, std::span(routed_).first(row_count));
}

std::size_t ExpertFeedForward::WaveSize(std::span<const ReadyExpert> ready) const {
  std::size_t size = 0;
  for (std::size_t uses = 0; size < ready.size(); ++size) {
    uses += uses_.rows_of(ready[size].expert).size();
    if (size > 0 && uses > context_.workspace.wave_uses) break;
  }
  return size;
}

std::size_t ExpertFeedForward::PrepareWave(std::span<const ReadyExpert> ready, ActiveRows& rows) {
  std::size_t work_count = 0;
  std::size_t wave_begin = 0;
  for (const ReadyExpert& expert : ready) {
    const std::span<const std::uint32_t> users = uses_.rows_of(expert.expert);
    if (!expert.status.ok()) {
      for (const std::uint32_t row : users) rows.Fail(row, expert.status);
      continue;
    }
    const TensorType gate = expert.types[Index(ExpertRole::kGate)];
    const TensorType up = expert.types[Index(ExpertRole::kUp)];
    Work& work = work_[work_count++];
    work.ready = &expert;
    work.use_begin = uses_.begin_of(expert.expert);
    work.wave_begin = wave_begin;
    work.use_count = users.size();
    work.gate_x = Gather(expert.expert, gate, wave_begin, context_.workspace.gathered_gate);
    work.up_x = ActivationTypeFor(up) == ActivationTypeFor(gate)
                    ? work.gate_x
                    : Gather(expert.expert, up, wave_begin, context_.workspace.gathered_up);
    wave_begin += users.size();
  }
  return work_count;
}

const std::byte* ExpertFeedForward::Gather(ExpertIndex expert, TensorType type,
                                           std::size_t wave_begin, std::byte* gathered) {
  const ActivationType activation = ActivationTypeFor(type);
  const std::size_t stride = EncodedStride(activation, context_.config.width);
  const std::byte* const encoded = encoded_x_.As(activation);
  const std::span<const std::uint32_t> users = uses_.rows_of(expert);
  if (users.size() == 1) return encoded + users[0] * stride;
  std::byte* const begin = gathered + wave_begin * EncodedStrideMax(context_.config.width);
  for (std::size_t i = 0; i < users.size(); ++i) {
    std::memcpy(begin + i * stride, encoded + users[i] * stride, stride);
  }
  return begin;
}

void ExpertFeedForward::ComputeWave(LayerIndex layer, const LayerWeights& weights,
                                    std::size_t work_count) {
  if (work_count == 0) return;
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  const std::size_t hidden = context_.config.expert_width;
  const std::size_t threads = context_.pool.thread_count();

  const std::size_t hidden_rows = RowsPerItem(hidden, work_count, threads);
  const std::size_t hidden_items = (hidden + hidden_rows - 1) / hidden_rows;
  context_.pool.ParallelFor(work_count * hidden_items, [&](std::size_t item, std::size_t) {
    const std::size_t begin = item % hidden_items * hidden_rows;
    ComputeHidden(layer, weights, work_[item / hidden_items], begin,
                  std::min(begin + hidden_rows, hidden));
  });
  context_.pool.ParallelFor(work_count,
                            [&](std::size_t item, std::size_t) { EncodeHidden(work_[item]); });

  const std::size_t out_rows = RowsPerItem(width, work_count, threads);
  const std::size_t out_items = (width + out_rows - 1) / out_rows;
  const float* const biases = weights.floats(TensorRole::kDownBias);
  context_.pool.ParallelFor(work_count * out_items, [&](std::size_t item, std::size_t) {
    const Work& work = work_[item / out_items];
    const std::size_t begin = item % out_items * out_rows;
    Multiply(work, {.role = ExpertRole::kDown,
                    .row_begin = begin,
                    .row_end = std::min(begin + out_rows, width),
                    .columns = hidden,
                    .x = w.encoded_hidden + work.wave_begin * EncodedStrideMax(hidden),
                    .bias = BiasOf(biases, work.ready->expert, width),
                    .y = w.expert_out + work.use_begin * width,
                    .y_stride = width});
  });
}

void ExpertFeedForward::ComputeHidden(LayerIndex layer, const LayerWeights& weights,
                                      const Work& work, std::size_t begin, std::size_t end) {
  const std::size_t hidden = context_.config.expert_width;
  float* const gate = context_.workspace.gate + work.wave_begin * hidden;
  float* const up = context_.workspace.up + work.wave_begin * hidden;
  Product product = {
      .role = ExpertRole::kGate,
      .row_begin = begin,
      .row_end = end,
      .columns = context_.config.width,
      .x = work.gate_x,
      .bias = BiasOf(weights.floats(TensorRole::kGateBias), work.ready->expert, hidden),
      .y = gate,
      .y_stride = hidden};
  Multiply(work, product);
  product.role = ExpertRole::kUp;
  product.x = work.up_x;
  product.bias = BiasOf(weights.floats(TensorRole::kUpBias), work.ready->expert, hidden);
  product.y = up;
  Multiply(work, product);
  if (context_.observer != nullptr) Show(layer, work, begin, end);
  const auto join = JoinOf(context_.kernels, LayerOf(layer).activation);
  for (std::size_t use = 0; use < work.use_count; ++use) {
    float* const out = gate + use * hidden + begin;
    join(out, up + use * hidden + begin, end - begin, out);
  }
}

void ExpertFeedForward::EncodeHidden(const Work& work) {
  Workspace& w = context_.workspace;
  const std::size_t hidden = context_.config.expert_width;
  const ActivationType type = ActivationTypeFor(work.ready->types[Index(ExpertRole::kDown)]);
  std::byte* const encoded = w.encoded_hidden + work.wave_begin * EncodedStrideMax(hidden);
  for (std::size_t use = 0; use < work.use_count; ++use) {
    context_.kernels.encode[static_cast<std::size_t>(type)](
        w.gate + (work.wave_begin + use) * hidden, hidden,
        encoded + use * EncodedStride(type, hidden));
  }
}

void ExpertFeedForward::Show(LayerIndex layer, const Work& work, std::size_t begin,
                             std::size_t end) const {
  const ExpertIndex expert = work.ready->expert;
  const ObservedUses uses = {
      {ConfigOf(layer).index, expert}, uses_.rows_of(expert), uses_.weights_of(expert)};
  const std::size_t first = work.wave_begin * context_.config.expert_width;
  if (begin == 0)
    context_.observer->OnExpertInput(uses, context_.workspace.normed, context_.config.width);
  context_.observer->OnHidden(uses, {.activation = LayerOf(layer).activation,
                                     .begin = begin,
                                     .end = end,
                                     .stride = context_.config.expert_width,
                                     .gate = context_.workspace.gate + first,
                                     .up = context_.workspace.up + first});
}

void ExpertFeedForward::Multiply(const Work& work, const Product& product) const {
  const TensorType type = work.ready->types[Index(product.role)];
  const TensorTypeTraits& traits = TraitsOf(type);
  MatMulArgs args;
  args.weights = work.ready->matrices[Index(product.role)];
  args.weight_row_bytes = product.columns / traits.block_elements * traits.block_bytes;
  args.row_begin = product.row_begin;
  args.row_end = product.row_end;
  args.columns = product.columns;
  args.x = product.x;
  args.x_row_bytes = EncodedStride(ActivationTypeFor(type), product.columns);
  args.token_count = work.use_count;
  args.y = product.y;
  args.y_stride = product.y_stride;
  context_.kernels.mat_mul[static_cast<std::size_t>(type)](args);
  if (product.bias == nullptr) return;
  for (std::size_t use = 0; use < work.use_count; ++use) {
    context_.kernels.add_scaled(product.bias + product.row_begin, 1.0F,
                                product.row_end - product.row_begin,
                                product.y + use * product.y_stride + product.row_begin);
  }
}

void ExpertFeedForward::Combine(LayerIndex layer, const LayerWeights& weights, ActiveRows& rows) {
  Workspace& w = context_.workspace;
  const std::size_t width = context_.config.width;
  const float* const norm = weights.floats(TensorRole::kExpertsPostNorm);
  const bool beside = LayerOf(layer).dense_width > 0;
  context_.pool.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    float* const delta = w.delta + i * width;
    std::fill_n(delta, width, 0.0F);
    if (!rows.result(i).status.ok()) return;
    const std::span<const ExpertChoice> choices = uses_.ChoicesOf(i);
    for (std::size_t slot = 0; slot < choices.size(); ++slot) {
      context_.kernels.add_scaled(w.expert_out + uses_.use_of(i, slot) * width,
                                  choices[slot].weight, width, delta);
    }
    if (norm != nullptr)
      context_.kernels.rms_norm(delta, norm, width, context_.config.rms_epsilon, delta);
    if (beside) context_.kernels.add_scaled(w.dense_out + i * width, 1.0F, width, delta);
  });
}

// Residents were given first, so the layer's hits are the first experts given; the others share the
// bytes read, for the experts of a layer have much the same size.
void ExpertFeedForward::Charge(const ExpertIoAccount& before, ActiveRows& rows) {
  const ExpertIoAccount& now = source_.account();
  const std::uint64_t hits = std::min<std::uint64_t>(now.hits - before.hits, given_.size());
  for (std::size_t i = 0; i < rows.count(); ++i) {
    rows.result(i).io.experts_used += context_.config.expert_used_count;
  }
  for (std::size_t i = 0; i < hits; ++i) {
    for (const std::uint32_t row : uses_.rows_of(given_[i])) ++rows.result(row).io.hits;
  }

  std::uint64_t bytes_left = now.bytes_read - before.bytes_read;
  std::uint64_t wait_left = now.wait_ns - before.wait_ns;
  std::uint64_t missed_left = given_.size() - hits;
  for (std::size_t i = hits; i < given_.size(); ++i, --missed_left) {
    ExpertIoAccount& io = rows.result(uses_.rows_of(given_[i])[0]).io;
    io.bytes_read += bytes_left / missed_left;
    io.wait_ns += wait_left / missed_left;
    bytes_left -= bytes_left / missed_left;
    wait_left -= wait_left / missed_left;
  }
  rows.result(0).io.bytes_read += bytes_left;  // read for an earlier layer, landed in this one
  rows.result(0).io.wait_ns += wait_left;
}

}  // namespace edgemoe
