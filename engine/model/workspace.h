// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/model/model_config.h"

namespace edgemoe {

struct WorkspaceLimits {
  std::uint32_t rows_max = 0;
  std::uint32_t logit_rows_max = 0;
  std::size_t thread_count = 1;
};

// The activations of one step, in one allocation made once. A "use" is one of the expert_used_count
// experts of one row; experts are computed in waves of at most `wave_uses` uses. Sizes that differ
// between layers are those of the largest. What only mixers take lies where the feed-forward
// has its own: neither needs the other's once it is done.
struct Workspace {
  float* x = nullptr;              // [rows, width], the residual stream
  float* normed = nullptr;         // [rows, width]
  float* delta = nullptr;          // [rows, width], what a layer adds to x
  float* q = nullptr;              // [rows, q_rows]
  float* k = nullptr;              // [rows, kv_size], or latents with their rotated keys
  float* v = nullptr;              // [rows, kv_size]
  float* attended = nullptr;       // [rows, attended_size]
  float* query_latent = nullptr;   // [rows, query_latent_size]
  float* convolution = nullptr;    // [rows, 3 * width], where a layer convolves
  float* mamba_in = nullptr;       // [rows, in_size] of Mamba2Config
  float* mamba_out = nullptr;      // [rows, inner_size]
  float* delta_in = nullptr;       // [rows, channels + value_size] of delta nets
  float* delta_rates = nullptr;    // [rows, 2 * value_head_count]
  float* delta_heads = nullptr;    // [rows, value_size]
  float* rope = nullptr;           // see RopeTables
  float* scores = nullptr;         // [threads, context_length + 1]
  float* router = nullptr;         // [rows, expert_count]
  float* gate = nullptr;           // [wave_uses, expert_width]
  float* up = nullptr;             // [wave_uses, expert_width]
  float* expert_out = nullptr;     // [uses, width]
  float* dense_gate = nullptr;     // [rows, dense_width]
  float* dense_up = nullptr;       // [rows, dense_width]
  float* dense_out = nullptr;      // [rows, width], what it adds to x beside experts
  float* branch_normed = nullptr;  // [rows, width], where branches have norms of their own
  float* logits = nullptr;         // [logit_rows, vocabulary]
  float* guess_normed = nullptr;   // [kGuessRowsMax, width]
  float* guess_router = nullptr;   // [kGuessRowsMax, expert_count]

  std::byte* encoded_width = nullptr;   // room for EncodedRows of [rows, width]
  std::byte* encoded_branch = nullptr;  // room for EncodedRows of [rows, width], like branch_normed
  std::byte* encoded_guess = nullptr;   // room for EncodedRows of [kGuessRowsMax, width]
  std::byte* encoded_heads = nullptr;   // room for EncodedRows of [rows, attended_size]
  std::byte* encoded_dense = nullptr;   // room for EncodedRows of [rows, dense_width]
  std::byte* encoded_query_latent = nullptr;  // the same of [rows, query_latent_size]
  std::byte* latent_scratch = nullptr;        // [threads, LatentAttention::ScratchBytes]
  std::byte* gathered_gate = nullptr;         // [wave_uses, width], encoded
  std::byte* gathered_up = nullptr;           // [wave_uses, width], encoded
  std::byte* encoded_hidden = nullptr;        // [wave_uses, expert_width], encoded
  std::byte* encoded_mamba = nullptr;         // room for EncodedRows of [rows, inner_size]
  std::byte* encoded_delta = nullptr;         // room for EncodedRows of [rows, value_size]
  // Enough for one expert that every row uses.
  std::size_t wave_uses = 0;

  static std::uint64_t Bytes(const ModelConfig& config, const WorkspaceLimits& limits);
  // RESOURCE_EXHAUSTED when memory cannot be had.
  static Result<Workspace> Create(const ModelConfig& config, const WorkspaceLimits& limits);

 private:
  AlignedBuffer memory_;
};

}  // namespace edgemoe
