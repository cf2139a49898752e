// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/active_rows.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/ops/rope.h"
#include "engine/model/weights.h"

namespace edgemoe {

// What scores are multiplied by: 1 / sqrt(query_size), and with scaled positions more, as llama.cpp
// has it of this architecture.
float ScoreScale(const LatentAttentionConfig& config);

// Latent attention as LatentAttentionConfig describes it: from the workspace's normed to its delta.
// A sequence keeps of a position its normed latent and behind it the rotated key: [key_size].
class LatentAttention {
 public:
  // Bytes of scratch that a thread needs.
  static std::size_t ScratchBytes(const ModelConfig& config);

  // Engine's thread.
  LatentAttention(const OpContext& context, const RopeTables& rope);

  void Run(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

 private:
  // Some rows of one head, and a thread's room for them.
  struct Item {
    std::size_t head = 0;
    std::size_t first = 0;  // of the active rows
    std::size_t count = 0;
    float* scores = nullptr;              // [context_length + 1]
    float* absorbed = nullptr;            // [rows, key_size], queries of latents and rotated keys
    float* mixed = nullptr;               // [rows, latent_size], sums of latents
    float* unpacked = nullptr;            // [latent_size]
    std::byte* encoded_query = nullptr;   // [rows, unrotated_size]
    std::byte* encoded_latent = nullptr;  // [rows, latent_size]
  };

  // Queries, latents and rotated keys of all rows, neither normed nor rotated.
  void ProjectInputs(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);
  // The norm of row i's latent and the rotation of its key, which go to its sequence, and the
  // rotation of its queries.
  void PrepareRow(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows,
                  std::size_t i);
  Item ItemOf(const LatentAttentionConfig& config, std::size_t index, std::size_t row_count,
              std::size_t thread);
  void Absorb(const LatentAttentionConfig& config, const LayerWeights& weights, const Item& item);
  void Attend(LayerIndex layer, const ActiveRows& rows, const Item& item);
  // From sums of latents to the head's values.
  void Release(const LatentAttentionConfig& config, const LayerWeights& weights, const Item& item);
  void ProjectOutput(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);

  const OpContext context_;
  const RopeTables& rope_;
  EncodedRows encoded_x_;
  EncodedRows encoded_query_latent_;
  EncodedRows encoded_attended_;
};

}  // namespace edgemoe
