// SPDX-License-Identifier: Apache-2.0
#include "engine/study/error_weights.h"

#include <algorithm>

namespace edgemoe {
std::optional<DenseInput> ErrorWeights::InputOf(const PackTensor& tensor) const {
  switch (tensor.role) {
    case TensorRole::kQuery:
    case TensorRole::kKey:
    case TensorRole::kValue:
    case TensorRole::kQueryDown:
    case TensorRole::kKeyValueDown:
    case TensorRole::kConvolutionIn:
    case TensorRole::kMambaIn:
    case TensorRole::kDeltaIn:
    case TensorRole::kDeltaGate:
    case TensorRole::kDeltaGroupedIn: return DenseInput::kAttention;
    case TensorRole::kAttentionOutput: return DenseInput::kAttentionOutput;
    case TensorRole::kDenseGate:
    case TensorRole::kDenseUp:
      if (config_.layers[tensor.layer.value].branch_norms) return std::nullopt;
      return DenseInput::kFfn;
    case TensorRole::kOutput: return DenseInput::kOutput;
    // A tied embedding is the output matrix too, and that use counts; one of its own is not
    // multiplied by anything.
    case TensorRole::kEmbedding:
      if (tied_output_) return DenseInput::kOutput;
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::vector<float> ErrorWeights::Columns(const PackTensor& tensor) const {
  if (tensor.of_expert()) return table_.Columns(tensor.key, tensor.expert_role()).weights;
  const auto input = InputOf(tensor);
  if (!input) return {};
  return table_.Columns(*input, tensor.layer).weights;
}

std::vector<float> ErrorWeights::Rows(const PackTensor& tensor) const {
  if (tensor.role != TensorRole::kGate && tensor.role != TensorRole::kUp) return {};
  return table_.Rows(tensor.key, tensor.expert_role()).weights;
}

double ErrorWeights::Scale(const PackTensor& tensor) const {
  if (tensor.of_expert()) {
    const ExpertKey key = tensor.key;
    const ExpertRole role = tensor.expert_role();
    const double columns = table_.Columns(key, role).mean * UsesPerToken(key);
    if (role == ExpertRole::kDown) return columns;
    // Both factors hold p^2, which counts once.
    const double weight_square = WeightSquare(key);
    return weight_square > 0 ? columns * table_.Rows(key, role).mean / weight_square : 0;
  }
  const auto input = InputOf(tensor);
  return input ? table_.Columns(*input, tensor.layer).mean : 1;
}

double ErrorWeights::UsesPerToken(ExpertKey key) const {
  const double tokens = std::max<double>(static_cast<double>(stats_.token_count()), 1);
  // One that was never used may be, elsewhere.
  return (static_cast<double>(stats_.use_count(key)) + 1) / tokens;
}

double ErrorWeights::WeightSquare(ExpertKey key) const {
  const std::span<const float> squares = stats_.weight_square_sums(key.layer);
  double layer_sum = 0;
  double layer_uses = 0;
  for (std::uint32_t e = 0; e < squares.size(); ++e) {
    layer_sum += squares[e];
    layer_uses += static_cast<double>(stats_.use_count({key.layer, ExpertIndex{e}}));
  }
  if (layer_uses == 0) return 0;
  const double own_uses = static_cast<double>(stats_.use_count(key));
  return (squares[key.expert.value] + kPriorUses * layer_sum / layer_uses) /
         (own_uses + kPriorUses);
}

}  // namespace edgemoe
