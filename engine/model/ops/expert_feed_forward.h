// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "engine/model/active_rows.h"
#include "engine/model/ops/dense_feed_forward.h"
#include "engine/model/ops/encoded_rows.h"
#include "engine/model/ops/op_context.h"
#include "engine/model/ops/router.h"
#include "engine/model/weights.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// The mixture of experts: adds to x the weighted outputs of the experts that each row's router
// chose. Experts are computed in the order in which storage gives them; each use has a place of its
// own for its output, and a row sums them in the router's order, so that the order never shows.
class ExpertFeedForward {
 public:
  // `source` and `dense`, which computes what stands beside the experts, outlive this object.
  // Engine's thread.
  ExpertFeedForward(const OpContext& context, ExpertSource& source, DenseFeedForward& dense);

  // Rows whose experts could not be read are failed in `rows`. `next`: the next layer that has
  // experts, for guesses of what it will want; none after the last.
  struct NextLayer {
    LayerIndex layer;
    const LayerWeights* weights;
  };
  void Run(LayerIndex layer, const LayerWeights& weights, const std::optional<NextLayer>& next,
           ActiveRows& rows);

 private:
  static constexpr std::size_t kReadyMax = 32;  // experts computed together

  // One expert of a wave, with what its products take.
  struct Work {
    const ReadyExpert* ready;
    std::size_t use_begin;   // among all uses of the layer
    std::size_t wave_begin;  // among the uses of the wave
    std::size_t use_count;
    const std::byte* gate_x;  // [use_count, width], encoded for its gate
    const std::byte* up_x;    // the same for its up
  };
  // Rows [row_begin, row_end) of one matrix of an expert, for all of its uses.
  struct Product {
    ExpertRole role;
    std::size_t row_begin;
    std::size_t row_end;
    std::size_t columns;
    const std::byte* x;  // [use_count, columns], encoded
    const float* bias;   // [rows of the matrix], of this expert; null: none
    float* y;            // [use_count, y_stride]
    std::size_t y_stride;
  };

  const LayerConfig& LayerOf(LayerIndex layer) const { return context_.config.layers[layer.value]; }
  const ExpertsConfig& ConfigOf(LayerIndex layer) const { return *LayerOf(layer).experts; }
  void Route(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);
  // x as a branch with a norm of its own takes it, into encoded_branch_.
  void EncodeBranch(const float* norm, std::size_t row_count);
  // What stands beside the experts.
  void ComputeDense(LayerIndex layer, const LayerWeights& weights, std::size_t row_count);
  // Tells the source who chose what, and asks for it.
  void Begin(LayerIndex layer, const ActiveRows& rows);
  // Tells the source what the next layer's router makes of the present state, if it wants to know.
  void GuessNext(const NextLayer& next, std::size_t row_count);
  // As many of the first of `ready` as the workspace has room for; at least one.
  std::size_t WaveSize(std::span<const ReadyExpert> ready) const;
  // Fails the rows of experts that could not be read; gives the number of the others in work_.
  std::size_t PrepareWave(std::span<const ReadyExpert> ready, ActiveRows& rows);
  // The encoded rows of an expert's uses, one after another: in place when it has one row only,
  // else from the wave's use `wave_begin` of `gathered` on.
  const std::byte* Gather(ExpertIndex expert, TensorType type, std::size_t wave_begin,
                          std::byte* gathered);
  // out = down(activation(gate(x), up(x))), for every use of every expert of the wave.
  void ComputeWave(LayerIndex layer, const LayerWeights& weights, std::size_t work_count);
  // Hidden elements [begin, end) of one expert: gate, up and what they are joined to.
  void ComputeHidden(LayerIndex layer, const LayerWeights& weights, const Work& work,
                     std::size_t begin, std::size_t end);
  void EncodeHidden(const Work& work);
  // Values [begin, end) of what gate and up gave; an expert's input comes with its first ones.
  void Show(LayerIndex layer, const Work& work, std::size_t begin, std::size_t end) const;
  void Multiply(const Work& work, const Product& product) const;
  // The sum of all branches, into the workspace's delta; 0 for rows that have failed.
  void Combine(LayerIndex layer, const LayerWeights& weights, ActiveRows& rows);
  void Charge(const ExpertIoAccount& before, ActiveRows& rows);

  const OpContext context_;
  ExpertSource& source_;
  DenseFeedForward& dense_;
  EncodedRows encoded_x_;
  EncodedRows encoded_branch_;
  EncodedRows encoded_guess_;
  ExpertUses uses_;
  std::vector<RoutedRow> routed_;  // [rows_max]
  std::array<ExpertChoice, kGuessRowsMax * kGuessesPerRowMax> guesses_{};
  std::array<ReadyExpert, kReadyMax> ready_;
  std::array<Work, kReadyMax> work_{};
  std::vector<ExpertIndex> given_;  // this layer's experts in the order given, residents first
};

}  // namespace edgemoe
