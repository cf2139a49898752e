// SPDX-License-Identifier: Apache-2.0
#include "tests/shapes/type_recipe.h"

#include <array>
#include <utility>
#include <vector>

#include "engine/base/accepted.h"

namespace edgemoe {
namespace {

constexpr std::array<std::pair<std::string_view, TypeRecipe>, 3> kRecipes = {
    {{"q4_k_m", TypeRecipe::kQ4KM}, {"q8_0", TypeRecipe::kQ8}, {"mxfp4", TypeRecipe::kMxfp4}}};

// As llama.cpp's Q4_K_M has it: the first and the last eighth of the layers, and every third
// between them, have more bits in what adds up.
bool HasMoreBits(std::uint32_t layer, std::uint32_t layer_count) {
  const std::uint32_t eighth = layer_count / 8;
  return layer < eighth || layer >= 7 * layer_count / 8 || (layer - eighth) % 3 == 2;
}

TensorType Q4KMTypeOf(TensorRole role, bool more_bits, bool tied_output) {
  switch (role) {
    case TensorRole::kOutput: return TensorType::kQ6_K;
    case TensorRole::kEmbedding: return tied_output ? TensorType::kQ6_K : TensorType::kQ4_K;
    case TensorRole::kValue:
    case TensorRole::kDown:
    case TensorRole::kDenseDown: return more_bits ? TensorType::kQ6_K : TensorType::kQ4_K;
    case TensorRole::kDeltaIn: return TensorType::kQ5_K;
    default: return TensorType::kQ4_K;
  }
}

// Rows that are no whole number of 256 get the type of smaller blocks that comes next in size.
TensorType ForColumns(TensorType type, std::uint64_t columns) {
  if (columns % TraitsOf(type).block_elements == 0) return type;
  switch (type) {
    case TensorType::kQ4_K: return TensorType::kQ5_0;
    case TensorType::kQ5_K: return TensorType::kQ5_1;
    default: return TensorType::kQ8_0;
  }
}

}  // namespace

std::optional<TypeRecipe> FindTypeRecipe(std::string_view name) {
  for (const auto& [known, recipe] : kRecipes)
    if (known == name) return recipe;
  return std::nullopt;
}

std::string TypeRecipeNames() {
  std::vector<std::string_view> names;
  for (const auto& [name, recipe] : kRecipes) names.push_back(name);
  return AcceptedNames(names);
}

void ApplyTypeRecipe(TypeRecipe recipe, RandomModelOptions& model) {
  const auto set = [&](const RandomTensor& tensor, bool more_bits) {
    if (IsFloatVector(tensor.role) || tensor.role == TensorRole::kRouter) return;
    TensorType type = TensorType::kQ8_0;
    if (recipe == TypeRecipe::kQ4KM) type = Q4KMTypeOf(tensor.role, more_bits, model.tied_output);
    if (recipe == TypeRecipe::kMxfp4 && IsOfExpert(tensor.role)) type = TensorType::kMXFP4;
    model.tensor_types[tensor.name] = ForColumns(type, tensor.dims.front());
  };
  for (const RandomTensor& tensor : RandomModelTensors(model)) set(tensor, false);
  const std::uint32_t layer_count = model.config.layer_count();
  for (std::uint32_t i = 0; i < layer_count; ++i)
    for (const RandomTensor& tensor : RandomLayerTensors(model, model.config.layers[i], i))
      set(tensor, HasMoreBits(i, layer_count));
}

}  // namespace edgemoe
