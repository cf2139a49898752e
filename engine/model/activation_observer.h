// SPDX-License-Identifier: Apache-2.0
//
// What the forward pass shows of its activations to whoever calibrates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/base/expert_key.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// The input of a group of dense matrices.
enum class DenseInput : std::uint8_t {
  // Of what takes the layer's input in: q, k and v or their latents, or the first matrices of a
  // short convolution, Mamba or delta net. Normed: [rows, width].
  kAttention = 0,
  // What all heads have attended to, in layers that attend: [rows, heads together].
  kAttentionOutput = 1,
  // Of each expert for the rows that chose it; of the router and of gate and up beside the experts,
  // too, unless branches have norms of their own. In layers without experts of the dense gate and
  // up. Normed: [rows, width].
  kFfn = 2,
  // Of the output matrix, normed: [rows that want logits, width].
  kOutput = 3,
};
constexpr std::size_t kDenseInputCount = 4;

// The uses of one expert by a step's rows, in the order of rows.
struct ObservedUses {
  ExpertKey key{};
  std::span<const std::uint32_t> rows;  // [uses], places in the layer's kFfn input
  std::span<const float> weights;       // [uses], the router's
};

// Values `begin` to `end` of what an expert's gate and up gave, biases included, before they are
// joined by `activation` to the input of down.
struct ObservedHidden {
  Activation activation = Activation::kSwiglu;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t stride = 0;       // from one use to the next, in floats
  const float* gate = nullptr;  // value i of use u is gate[u * stride + i], begin <= i < end
  const float* up = nullptr;    // the same
};

// Sees what is computed and changes nothing. Rows that were cancelled or have failed are not shown
// from the next layer on; an expert that could not be read is not shown at all.
//
// Threads: OnDense is called by the engine's thread, once an input and layer and step.
// OnExpertInput and OnHidden are called by the pool's threads at the same time, after the layer's
// kFfn: OnExpertInput once for each expert that is used, OnHidden for ranges of [begin, end) that
// together are the expert's width and do not overlap. All have returned before the next OnDense.
// Pointers are valid during the call.
class ActivationObserver {
 public:
  virtual ~ActivationObserver() = default;

  // `layer` is the last one for kOutput.
  virtual void OnDense(DenseInput input, LayerIndex layer, const float* x, std::size_t row_count,
                       std::size_t column_count) = 0;
  // `x`: the layer's kFfn input, [rows, width].
  virtual void OnExpertInput(const ObservedUses& uses, const float* x, std::size_t width) = 0;
  virtual void OnHidden(const ObservedUses& uses, const ObservedHidden& hidden) = 0;
};

}  // namespace edgemoe
