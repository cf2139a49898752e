// SPDX-License-Identifier: Apache-2.0
#include "engine/model/workspace.h"

#include <algorithm>

#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/latent_attention.h"
#include "engine/model/ops/rope.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {
namespace {

// Hands out parts of a buffer, one after another; without a buffer it only counts.
class Carver {
 public:
  explicit Carver(std::byte* base) : base_(base) {}

  std::byte* TakeBytes(std::size_t bytes) {
    std::byte* part = base_ == nullptr ? nullptr : base_ + bytes_;
    bytes_ += AlignUp(bytes, kRowAlignment);
    return part;
  }
  float* TakeFloats(std::size_t rows, std::size_t columns) {
    return reinterpret_cast<float*>(TakeBytes(rows * columns * sizeof(float)));
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  std::size_t bytes_ = 0;
};

// Waves of fewer uses leave cores without work, of more win nothing.
constexpr std::size_t kWaveUses = 256;

void CarveMixers(const ModelConfig& config, const WorkspaceLimits& limits, Carver& carver,
                 Workspace& out) {
  const std::size_t rows = limits.rows_max;
  out.q = carver.TakeFloats(rows, config.q_rows_max());
  out.k = carver.TakeFloats(rows, config.kv_size_max());
  out.v = carver.TakeFloats(rows, config.kv_size_max());
  out.attended = carver.TakeFloats(rows, config.attended_size_max());
  out.query_latent = carver.TakeFloats(rows, config.query_latent_size_max());
  if (config.has_convolution())
    out.convolution = carver.TakeFloats(rows, 3 * std::size_t{config.width});
  out.mamba_in = carver.TakeFloats(rows, config.mamba_in_size_max());
  out.mamba_out = carver.TakeFloats(rows, config.mamba_inner_size_max());
  out.encoded_mamba = carver.TakeBytes(EncodedRows::Bytes(rows, config.mamba_inner_size_max()));
  out.delta_in = carver.TakeFloats(rows, config.delta_in_size_max());
  out.delta_rates = carver.TakeFloats(rows, 2 * config.delta_value_head_count_max());
  out.delta_heads = carver.TakeFloats(rows, config.delta_value_size_max());
  out.encoded_delta = carver.TakeBytes(EncodedRows::Bytes(rows, config.delta_value_size_max()));
  out.scores = carver.TakeFloats(limits.thread_count, std::size_t{config.context_length} + 1);
  out.encoded_heads = carver.TakeBytes(EncodedRows::Bytes(rows, config.attended_size_max()));
  out.encoded_query_latent =
      carver.TakeBytes(EncodedRows::Bytes(rows, config.query_latent_size_max()));
  out.latent_scratch =
      carver.TakeBytes(limits.thread_count * LatentAttention::ScratchBytes(config));
}

void CarveFeedForward(const ModelConfig& config, const WorkspaceLimits& limits, Carver& carver,
                      Workspace& out) {
  const std::size_t rows = limits.rows_max;
  const std::size_t uses = rows * config.expert_used_count;
  const std::size_t dense_width = config.dense_width_max();
  out.wave_uses = std::min(uses, std::max(rows, kWaveUses));
  out.router = carver.TakeFloats(rows, config.expert_count);
  out.gate = carver.TakeFloats(out.wave_uses, config.expert_width);
  out.up = carver.TakeFloats(out.wave_uses, config.expert_width);
  out.expert_out = carver.TakeFloats(uses, config.width);
  out.gathered_gate = carver.TakeBytes(out.wave_uses * EncodedStrideMax(config.width));
  out.gathered_up = carver.TakeBytes(out.wave_uses * EncodedStrideMax(config.width));
  out.encoded_hidden = carver.TakeBytes(out.wave_uses * EncodedStrideMax(config.expert_width));
  if (dense_width > 0) out.dense_out = carver.TakeFloats(rows, config.width);
  const std::size_t branch_width = config.has_branch_norms() ? config.width : 0;
  out.branch_normed = carver.TakeFloats(rows, branch_width);
  out.encoded_branch = carver.TakeBytes(EncodedRows::Bytes(rows, branch_width));
  out.dense_gate = carver.TakeFloats(rows, dense_width);
  out.dense_up = carver.TakeFloats(rows, dense_width);
  out.encoded_dense = carver.TakeBytes(EncodedRows::Bytes(rows, dense_width));
}

std::size_t Carve(const ModelConfig& config, const WorkspaceLimits& limits, std::byte* base,
                  Workspace& out) {
  const std::size_t rows = limits.rows_max;
  Carver carver(base);
  out.x = carver.TakeFloats(rows, config.width);
  out.normed = carver.TakeFloats(rows, config.width);
  out.delta = carver.TakeFloats(rows, config.width);
  out.rope = carver.TakeFloats(1, RopeTables::FloatCount(config, rows));
  out.encoded_width = carver.TakeBytes(EncodedRows::Bytes(rows, config.width));
  out.logits = carver.TakeFloats(limits.logit_rows_max, config.vocabulary_size);
  out.guess_normed = carver.TakeFloats(kGuessRowsMax, config.width);
  out.guess_router = carver.TakeFloats(kGuessRowsMax, config.expert_count);
  out.encoded_guess = carver.TakeBytes(EncodedRows::Bytes(kGuessRowsMax, config.width));
  Carver mixers = carver;
  CarveMixers(config, limits, mixers, out);
  CarveFeedForward(config, limits, carver, out);
  return std::max(mixers.bytes(), carver.bytes());
}

}  // namespace

std::uint64_t Workspace::Bytes(const ModelConfig& config, const WorkspaceLimits& limits) {
  Workspace unused;
  return Carve(config, limits, nullptr, unused);
}

Result<Workspace> Workspace::Create(const ModelConfig& config, const WorkspaceLimits& limits) {
  Workspace workspace;
  EDGEMOE_ASSIGN_OR_FAIL(workspace.memory_, AlignedBuffer::Allocate(Bytes(config, limits)));
  Carve(config, limits, workspace.memory_.data(), workspace);
  return workspace;
}

}  // namespace edgemoe
