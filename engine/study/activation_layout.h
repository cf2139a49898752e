// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/model/activation_observer.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// The model that sums of activations are of, as far as they have to fit.
struct ActivationShape {
  std::uint32_t layer_count = 0;
  std::uint32_t width = 0;
  std::uint32_t expert_count = 0;  // in a layer that has experts
  std::uint32_t expert_width = 0;
  std::vector<LayerIndex> expert_layers{};  // the layers that have them
  // Of all heads together: [layer_count]; 0 for layers that do not attend.
  std::vector<std::uint32_t> attention_widths{};
  static ActivationShape Of(const ModelConfig& config);
  bool operator==(const ActivationShape&) const = default;
};

// What is summed over the uses of an expert. With p a use's gate weight, x its input, g and u what
// gate and up gave, h(g, u) the input of down:
enum class ExpertSum : std::uint8_t {
  kInput = 0,      // p^2 x^2 [width]: how much a column of gate and of up counts
  kGateSlope = 1,  // p^2 (dh/dg)^2 [expert_width]: how much a row of gate moves h
  kUpSlope = 2,    // p^2 (dh/du)^2 [expert_width]: how much a row of up moves h
  kHidden = 3,     // p^2 h^2 [expert_width]: how much a column of down counts
};
constexpr std::size_t kExpertSumCount = 4;

// Where each sum lies in one array of floats: layer by layer, the output's last. Immutable.
class ActivationLayout {
 public:
  struct Range {
    std::size_t begin = 0;
    std::size_t count = 0;
  };
  // A range as a tensor of a file.
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;  // innermost first
    Range range;
  };

  explicit ActivationLayout(const ActivationShape& shape);

  const ActivationShape& shape() const { return shape_; }
  std::size_t sum_count() const { return starts_.back() + shape_.width; }
  std::size_t expert_total() const;

  // kOutput is one for all layers.
  Range dense(DenseInput input, LayerIndex layer) const;
  Range expert(ExpertSum which, ExpertKey key) const;
  Range weight_sums(ExpertLayerIndex layer) const;         // [expert_count], of p
  Range weight_square_sums(ExpertLayerIndex layer) const;  // [expert_count], of p^2

  // For counts beside the sums: [expert layers, expert_count], and one for each input of a layer.
  std::size_t expert_index(ExpertKey key) const;
  std::size_t row_count_count() const;
  std::size_t row_count_index(DenseInput input, LayerIndex layer) const;

  // All of them, in the order of their ranges.
  std::vector<Tensor> Tensors() const;

 private:
  Range OfAllExperts(ExpertSum which, ExpertLayerIndex layer) const;

  ActivationShape shape_;
  std::vector<std::size_t> starts_;  // [layers + 1], of each layer's sums, in floats
};

}  // namespace edgemoe
