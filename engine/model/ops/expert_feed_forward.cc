// SPDX-License-Identifier: Apache-2.0
#include "engine/model/moe.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/model/projection.h"

namespace edgemoe {
namespace {

constexpr std::size_t Index(ExpertRole role) { return static_cast<std::size_t>(role); }

}  // namespace

MoeLayer::MoeLayer(const ModelConfig& config, const KernelTable& kernels, ComputePool& pool,
                   ExpertSource& source, Workspace& workspace, std::uint32_t rows_max,
                   ActivationObserver* observer)
    : config_(config),
      kernels_(kernels),
      pool_(pool),
      source_(source),
      workspace_(workspace),
      observer_(observer),
      encoded_x_(kernels, pool, workspace.encoded_width, rows_max, config.width),
      encoded_guess_(kernels, pool, workspace.encoded_guess, kGuessRowsMax, config.width),
      uses_(rows_max, config.expert_used_count, config.expert_count),
      routed_(rows_max) {
  given_.reserve(config.expert_count);
}

void MoeLayer::Run(LayerIndex layer, const LayerWeights& weights, const LayerWeights* next,
                   ActiveRows& rows) {
  Route(layer, weights, rows);
  const ExpertIoAccount before = source_.account();
  given_.clear();
  Begin(layer, rows);
  if (next != nullptr) GuessNext(layer, *next, rows.count());
  while (const std::size_t count = source_.NextReady(ready_)) {
    const std::span<const ReadyExpert> ready(ready_.data(), count);
    for (const ReadyExpert& expert : ready) given_.push_back(expert.expert);
    ComputeWave(layer, PrepareWave(ready, rows));
    source_.Release(ready);
  }
  Charge(before, rows);
  Combine(rows);
}

void MoeLayer::Route(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows) {
  Workspace& w = workspace_;
  const std::size_t width = config_.width;
  pool_.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    kernels_.rms_norm(w.x + i * width, weights.ffn_norm, width, config_.rms_epsilon,
                      w.normed + i * width);
  });
  if (observer_ != nullptr) {
    observer_->OnDense(DenseInput::kFfn, layer, w.normed, rows.count(), width);
  }
  encoded_x_.Set(w.normed, rows.count());
  const std::array projection = {Projection{&weights.router, w.router}};
  Project(projection, encoded_x_, rows.count(), kernels_, pool_);
  pool_.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    const std::span probabilities(w.router + i * config_.expert_count, config_.expert_count);
    kernels_.softmax(probabilities.data(), probabilities.size());
    ChooseExperts(probabilities, uses_.ChoicesOf(i));
  });
  uses_.Group(rows.count());
}

void MoeLayer::Begin(LayerIndex layer, const ActiveRows& rows) {
  for (std::size_t i = 0; i < rows.count(); ++i) {
    const BatchRow& row = rows.row(i);
    routed_[i] = {.request = row.request,
                  .session = row.session,
                  .phase = row.phase,
                  .position = row.position,
                  .choices = uses_.ChoicesOf(i)};
  }
  source_.Begin(layer, std::span(routed_).first(rows.count()), uses_.experts());
}

// Before the experts of this layer have added theirs to x: their bytes are on the way meanwhile.
void MoeLayer::GuessNext(LayerIndex layer, const LayerWeights& next, std::size_t row_count) {
  const LayerIndex next_layer{layer.value + 1};
  const std::size_t per_row = std::min(source_.guesses_wanted(next_layer), config_.expert_count);
  if (per_row == 0) return;
  EDGEMOE_CHECK(row_count <= kGuessRowsMax && per_row <= kGuessesPerRowMax, "too many guesses");
  Workspace& w = workspace_;
  const std::size_t width = config_.width;
  for (std::size_t i = 0; i < row_count; ++i) {
    kernels_.rms_norm(w.x + i * width, next.ffn_norm, width, config_.rms_epsilon,
                      w.guess_normed + i * width);
  }
  encoded_guess_.Set(w.guess_normed, row_count);
  const std::array projection = {Projection{&next.router, w.guess_router}};
  Project(projection, encoded_guess_, row_count, kernels_, pool_);
  for (std::size_t i = 0; i < row_count; ++i) {
    const std::span probabilities(w.guess_router + i * config_.expert_count, config_.expert_count);
    const std::span guesses(guesses_.data() + i * per_row, per_row);
    kernels_.softmax(probabilities.data(), probabilities.size());
    ChooseExperts(probabilities, guesses);
    routed_[i].choices = guesses;
  }
  source_.Guess(next_layer, std::span(routed_).first(row_count));
}

std::size_t MoeLayer::PrepareWave(std::span<const ReadyExpert> ready, ActiveRows& rows) {
  std::size_t work_count = 0;
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
    work.use_count = users.size();
    work.gate_x = Gather(expert.expert, gate, workspace_.gathered_gate);
    work.up_x = ActivationTypeFor(up) == ActivationTypeFor(gate)
                    ? work.gate_x
                    : Gather(expert.expert, up, workspace_.gathered_up);
  }
  return work_count;
}

const std::byte* MoeLayer::Gather(ExpertIndex expert, TensorType type, std::byte* gathered) {
  const ActivationType activation = ActivationTypeFor(type);
  const std::size_t stride = EncodedStride(activation, config_.width);
  const std::byte* const encoded = encoded_x_.As(activation);
  const std::span<const std::uint32_t> users = uses_.rows_of(expert);
  if (users.size() == 1) return encoded + users[0] * stride;
  std::byte* const begin = gathered + uses_.begin_of(expert) * EncodedStrideMax(config_.width);
  for (std::size_t i = 0; i < users.size(); ++i) {
    std::memcpy(begin + i * stride, encoded + users[i] * stride, stride);
  }
  return begin;
}

// out = down(silu(gate(x)) * up(x)), for every use of every expert of the wave.
void MoeLayer::ComputeWave(LayerIndex layer, std::size_t work_count) {
  if (work_count == 0) return;
  Workspace& w = workspace_;
  const std::size_t width = config_.width;
  const std::size_t hidden = config_.expert_width;
  const std::size_t hidden_stride = EncodedStrideMax(hidden);

  const std::size_t hidden_rows = RowsPerItem(hidden, work_count, pool_.thread_count());
  const std::size_t hidden_items = (hidden + hidden_rows - 1) / hidden_rows;
  pool_.ParallelFor(work_count * hidden_items, [&](std::size_t item, std::size_t) {
    const Work& work = work_[item / hidden_items];
    const std::size_t begin = item % hidden_items * hidden_rows;
    const std::size_t end = std::min(begin + hidden_rows, hidden);
    float* const gate = w.gate + work.use_begin * hidden;
    float* const up = w.up + work.use_begin * hidden;
    Multiply(*work.ready, ExpertRole::kGate, begin, end, width, work.gate_x, work.use_count, gate,
             hidden);
    Multiply(*work.ready, ExpertRole::kUp, begin, end, width, work.up_x, work.use_count, up,
             hidden);
    if (observer_ != nullptr) Show(layer, work, begin, end);
    for (std::size_t use = 0; use < work.use_count; ++use) {
      float* const out = gate + use * hidden + begin;
      kernels_.swiglu(out, up + use * hidden + begin, end - begin, out);
    }
  });

  pool_.ParallelFor(work_count, [&](std::size_t item, std::size_t) {
    const Work& work = work_[item];
    const ActivationType type = ActivationTypeFor(work.ready->types[Index(ExpertRole::kDown)]);
    std::byte* const encoded = w.encoded_hidden + work.use_begin * hidden_stride;
    for (std::size_t use = 0; use < work.use_count; ++use) {
      kernels_.encode[static_cast<std::size_t>(type)](w.gate + (work.use_begin + use) * hidden,
                                                      hidden,
                                                      encoded + use * EncodedStride(type, hidden));
    }
  });

  const std::size_t out_rows = RowsPerItem(width, work_count, pool_.thread_count());
  const std::size_t out_items = (width + out_rows - 1) / out_rows;
  pool_.ParallelFor(work_count * out_items, [&](std::size_t item, std::size_t) {
    const Work& work = work_[item / out_items];
    const std::size_t begin = item % out_items * out_rows;
    Multiply(*work.ready, ExpertRole::kDown, begin, std::min(begin + out_rows, width), hidden,
             w.encoded_hidden + work.use_begin * hidden_stride, work.use_count,
             w.expert_out + work.use_begin * width, width);
  });
}

void MoeLayer::Show(LayerIndex layer, const Work& work, std::size_t begin, std::size_t end) const {
  const ExpertIndex expert = work.ready->expert;
  const ObservedUses uses = {layer, expert, uses_.rows_of(expert), uses_.weights_of(expert)};
  const std::size_t first = work.use_begin * config_.expert_width;
  if (begin == 0) observer_->OnExpertInput(uses, workspace_.normed, config_.width);
  observer_->OnHidden(uses, {.begin = begin,
                             .end = end,
                             .stride = config_.expert_width,
                             .gate = workspace_.gate + first,
                             .up = workspace_.up + first});
}

void MoeLayer::Multiply(const ReadyExpert& ready, ExpertRole role, std::size_t row_begin,
                        std::size_t row_end, std::size_t columns, const std::byte* x,
                        std::size_t token_count, float* y, std::size_t y_stride) const {
  const TensorType type = ready.types[Index(role)];
  const TensorTypeTraits& traits = TraitsOf(type);
  MatMulArgs args;
  args.weights = ready.matrices[Index(role)];
  args.weight_row_bytes = columns / traits.block_elements * traits.block_bytes;
  args.row_begin = row_begin;
  args.row_end = row_end;
  args.columns = columns;
  args.x = x;
  args.x_row_bytes = EncodedStride(ActivationTypeFor(type), columns);
  args.token_count = token_count;
  args.y = y;
  args.y_stride = y_stride;
  kernels_.mat_mul[static_cast<std::size_t>(type)](args);
}

void MoeLayer::Combine(ActiveRows& rows) {
  Workspace& w = workspace_;
  const std::size_t width = config_.width;
  pool_.ParallelFor(rows.count(), [&](std::size_t i, std::size_t) {
    if (!rows.result(i).status.ok()) return;
    float* const delta = w.delta + i * width;
    std::fill_n(delta, width, 0.0F);
    const std::span<const ExpertChoice> choices = uses_.ChoicesOf(i);
    for (std::size_t slot = 0; slot < choices.size(); ++slot) {
      kernels_.add_scaled(w.expert_out + uses_.use_of(i, slot) * width, choices[slot].weight, width,
                          delta);
    }
    kernels_.add_scaled(delta, 1.0F, width, w.x + i * width);
  });
}

// Residents were given first, so the layer's hits are the first experts given; the others share the
// bytes read, for the experts of a layer have much the same size.
void MoeLayer::Charge(const ExpertIoAccount& before, ActiveRows& rows) {
  const ExpertIoAccount& now = source_.account();
  const std::uint64_t hits = std::min<std::uint64_t>(now.hits - before.hits, given_.size());
  for (std::size_t i = 0; i < rows.count(); ++i) {
    rows.result(i).io.experts_used += config_.expert_used_count;
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
