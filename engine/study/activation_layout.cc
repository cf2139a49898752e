// SPDX-License-Identifier: Apache-2.0
#include "engine/study/activation_layout.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::size_t kInputsOfALayer = 3;  // all but kOutput

}  // namespace

ActivationShape ActivationShape::Of(const ModelConfig& config) {
  std::vector<std::uint32_t> attention_widths;
  for (const LayerConfig& layer : config.layers) attention_widths.push_back(layer.attended_size());
  return {.layer_count = config.layer_count(),
          .width = config.width,
          .expert_count = config.expert_count,
          .expert_width = config.expert_width,
          .expert_layers = config.expert_layers(),
          .attention_widths = std::move(attention_widths)};
}

ActivationLayout::ActivationLayout(const ActivationShape& shape) : shape_(shape), starts_{0} {
  const std::size_t expert = shape.width + 3 * std::size_t{shape.expert_width} + 2;
  for (std::uint32_t layer = 0; layer < shape.layer_count; ++layer) {
    const std::size_t dense = 2 * std::size_t{shape.width} + shape.attention_widths[layer];
    const bool has_experts =
        std::ranges::find(shape.expert_layers, LayerIndex{layer}) != shape.expert_layers.end();
    starts_.push_back(starts_.back() + dense + (has_experts ? expert * shape.expert_count : 0));
  }
}

std::size_t ActivationLayout::expert_total() const {
  return shape_.expert_layers.size() * shape_.expert_count;
}

ActivationLayout::Range ActivationLayout::dense(DenseInput input, LayerIndex layer) const {
  EDGEMOE_CHECK(layer.value < shape_.layer_count, "layer of another model");
  const std::size_t begin = starts_[layer.value];
  switch (input) {
    case DenseInput::kAttention: return {begin, shape_.width};
    case DenseInput::kFfn: return {begin + shape_.width, shape_.width};
    case DenseInput::kAttentionOutput:
      return {begin + 2 * std::size_t{shape_.width}, shape_.attention_widths[layer.value]};
    case DenseInput::kOutput: break;
  }
  return {starts_.back(), shape_.width};
}

ActivationLayout::Range ActivationLayout::OfAllExperts(ExpertSum which,
                                                       ExpertLayerIndex layer) const {
  EDGEMOE_CHECK(layer.value < shape_.expert_layers.size(), "expert layer of another model");
  const Range before = dense(DenseInput::kAttentionOutput, shape_.expert_layers[layer.value]);
  const std::size_t begin = before.begin + before.count;
  const std::size_t inputs = std::size_t{shape_.width} * shape_.expert_count;
  const std::size_t hidden = std::size_t{shape_.expert_width} * shape_.expert_count;
  if (which == ExpertSum::kInput) return {begin, inputs};
  return {begin + inputs + hidden * (static_cast<std::size_t>(which) - 1), hidden};
}

ActivationLayout::Range ActivationLayout::expert(ExpertSum which, ExpertKey key) const {
  EDGEMOE_CHECK(key.expert.value < shape_.expert_count, "expert of another model");
  const Range all = OfAllExperts(which, key.layer);
  const std::size_t count = all.count / shape_.expert_count;
  return {all.begin + count * key.expert.value, count};
}

ActivationLayout::Range ActivationLayout::weight_sums(ExpertLayerIndex layer) const {
  const Range before = OfAllExperts(ExpertSum::kHidden, layer);
  return {before.begin + before.count, shape_.expert_count};
}

ActivationLayout::Range ActivationLayout::weight_square_sums(ExpertLayerIndex layer) const {
  const Range before = weight_sums(layer);
  return {before.begin + before.count, shape_.expert_count};
}

std::size_t ActivationLayout::expert_index(ExpertKey key) const {
  EDGEMOE_CHECK(
      key.layer.value < shape_.expert_layers.size() && key.expert.value < shape_.expert_count,
      "expert of another model");
  return std::size_t{key.layer.value} * shape_.expert_count + key.expert.value;
}

std::size_t ActivationLayout::row_count_count() const {
  return kInputsOfALayer * shape_.layer_count + 1;
}

std::size_t ActivationLayout::row_count_index(DenseInput input, LayerIndex layer) const {
  EDGEMOE_CHECK(layer.value < shape_.layer_count, "layer of another model");
  if (input == DenseInput::kOutput) return row_count_count() - 1;
  return kInputsOfALayer * layer.value + static_cast<std::size_t>(input);
}

std::vector<ActivationLayout::Tensor> ActivationLayout::Tensors() const {
  std::vector<Tensor> tensors;
  const std::uint64_t experts = shape_.expert_count;
  const std::uint64_t hidden = shape_.expert_width;
  std::uint32_t expert_layer = 0;
  for (std::uint32_t i = 0; i < shape_.layer_count; ++i) {
    const LayerIndex layer{i};
    const std::string prefix = "blk." + std::to_string(i) + ".";
    const auto add = [&](const char* name, std::vector<std::uint64_t> dims, Range range) {
      tensors.push_back({prefix + name, std::move(dims), range});
    };
    add("attn_qkv.in_sum2", {shape_.width}, dense(DenseInput::kAttention, layer));
    add("ffn_gate_inp.in_sum2", {shape_.width}, dense(DenseInput::kFfn, layer));
    if (shape_.attention_widths[i] > 0)
      add("attn_output.in_sum2", {shape_.attention_widths[i]},
          dense(DenseInput::kAttentionOutput, layer));
    if (expert_layer == shape_.expert_layers.size() || shape_.expert_layers[expert_layer] != layer)
      continue;
    const ExpertLayerIndex of{expert_layer++};
    add("ffn_gate_up_exps.in_sum2", {shape_.width, experts}, OfAllExperts(ExpertSum::kInput, of));
    add("ffn_gate_exps.slope_sum2", {hidden, experts}, OfAllExperts(ExpertSum::kGateSlope, of));
    add("ffn_up_exps.slope_sum2", {hidden, experts}, OfAllExperts(ExpertSum::kUpSlope, of));
    add("ffn_down_exps.in_sum2", {hidden, experts}, OfAllExperts(ExpertSum::kHidden, of));
    add("ffn_exps.weight_sum", {experts}, weight_sums(of));
    add("ffn_exps.weight_sum2", {experts}, weight_square_sums(of));
  }
  tensors.push_back({"output.in_sum2", {shape_.width}, dense(DenseInput::kOutput, LayerIndex{0})});
  return tensors;
}

}  // namespace edgemoe
