// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "engine/model/activation_observer.h"
#include "engine/model/active_rows.h"
#include "engine/model/encoded_rows.h"
#include "engine/model/router.h"
#include "engine/model/workspace.h"
#include "engine/stream/expert_source.h"

namespace edgemoe {

// The mixture of experts: adds to x the weighted outputs of the experts that each row's router
// chose. Experts are computed in the order in which storage gives them; each use has a place of its
// own for its output, and a row sums them in the router's order, so that the order never shows.
class MoeLayer {
 public:
  // References outlive this object; `observer` may be null. Engine's thread.
  MoeLayer(const ModelConfig& config, const KernelTable& kernels, ComputePool& pool,
           ExpertSource& source, Workspace& workspace, std::uint32_t rows_max,
           ActivationObserver* observer);

  // Rows whose experts could not be read are failed in `rows`. `next`: the layer after this one,
  // for guesses of what it will want; null after the last.
  void Run(LayerIndex layer, const LayerWeights& weights, const LayerWeights* next,
           ActiveRows& rows);

 private:
  static constexpr std::size_t kReadyMax = 32;  // experts computed together

  // One expert of a wave, with what its products take.
  struct Work {
    const ReadyExpert* ready;
    std::size_t use_begin;
    std::size_t use_count;
    const std::byte* gate_x;  // [use_count, width], encoded for its gate
    const std::byte* up_x;    // the same for its up
  };

  void Route(LayerIndex layer, const LayerWeights& weights, const ActiveRows& rows);
  // Tells the source who chose what, and asks for it.
  void Begin(LayerIndex layer, const ActiveRows& rows);
  // Tells the source what the next layer's router makes of the present state, if it wants to know.
  void GuessNext(LayerIndex layer, const LayerWeights& next, std::size_t row_count);
  // Fails the rows of experts that could not be read; gives the number of the others in work_.
  std::size_t PrepareWave(std::span<const ReadyExpert> ready, ActiveRows& rows);
  // The encoded rows of an expert's uses, one after another: in place when it has one row only.
  const std::byte* Gather(ExpertIndex expert, TensorType type, std::byte* gathered);
  void ComputeWave(LayerIndex layer, std::size_t work_count);
  // Values [begin, end) of what gate and up gave; an expert's input comes with its first ones.
  void Show(LayerIndex layer, const Work& work, std::size_t begin, std::size_t end) const;
  void Multiply(const ReadyExpert& ready, ExpertRole role, std::size_t row_begin,
                std::size_t row_end, std::size_t columns, const std::byte* x,
                std::size_t token_count, float* y, std::size_t y_stride) const;
  void Combine(ActiveRows& rows);
  void Charge(const ExpertIoAccount& before, ActiveRows& rows);

  const ModelConfig& config_;
  const KernelTable& kernels_;
  ComputePool& pool_;
  ExpertSource& source_;
  Workspace& workspace_;
  ActivationObserver* const observer_;
  EncodedRows encoded_x_;
  EncodedRows encoded_guess_;
  ExpertUses uses_;
  std::vector<RoutedRow> routed_;  // [rows_max]
  std::array<ExpertChoice, kGuessRowsMax * kGuessesPerRowMax> guesses_{};
  std::array<ReadyExpert, kReadyMax> ready_;
  std::array<Work, kReadyMax> work_{};
  std::vector<ExpertIndex> given_;  // this layer's experts in the order given, residents first
};

}  // namespace edgemoe
