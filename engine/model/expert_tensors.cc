// SPDX-License-Identifier: Apache-2.0
#include "engine/model/expert_tensors.h"

#include <array>

#include "engine/gguf/pack_keys.h"

namespace edgemoe {
namespace {

std::string RolePrefix(std::size_t layer, ExpertRole role) {
  constexpr std::array<const char*, kExpertRoleCount> kNames = {"gate", "up", "down"};
  return "blk." + std::to_string(layer) + ".ffn_" + kNames[static_cast<std::size_t>(role)];
}

}  // namespace

TensorRole TensorRoleOf(ExpertRole role) {
  constexpr std::array kRoles = {TensorRole::kGate, TensorRole::kUp, TensorRole::kDown};
  return kRoles[static_cast<std::size_t>(role)];
}

std::string StackedExpertName(std::size_t layer, ExpertRole role) {
  return RolePrefix(layer, role) + "_exps.weight";
}

std::string SplitExpertName(std::size_t layer, std::size_t expert, ExpertRole role) {
  return RolePrefix(layer, role) + "." + std::to_string(expert) + ".weight";
}

std::string FusedExpertName(std::size_t layer) {
  return "blk." + std::to_string(layer) + ".ffn_gate_up_exps.weight";
}

std::vector<ExpertMatrices> ExpertMatricesOf(const GgufSet& files, std::size_t layer,
                                             std::size_t expert_count) {
  static constexpr std::array kRoles = {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown};
  constexpr std::span<const ExpertRole> roles(kRoles);
  std::vector<ExpertMatrices> tensors;
  const auto has = [&](const std::string& name) { return files.FindTensor(name) != nullptr; };
  const bool fused = has(FusedExpertName(layer));
  if (fused) tensors.push_back({FusedExpertName(layer), 0, expert_count, roles.first(2)});
  const bool stacked = fused || has(StackedExpertName(layer, ExpertRole::kGate));
  const bool split =
      !stacked && (has(SplitExpertName(layer, 0, ExpertRole::kGate)) || IsPack(files.metadata()));
  for (std::size_t role = fused ? 2 : 0; role < kRoles.size(); ++role) {
    const std::span<const ExpertRole> own = roles.subspan(role, 1);
    if (!split) tensors.push_back({StackedExpertName(layer, own[0]), 0, expert_count, own});
    for (std::size_t expert = 0; split && expert < expert_count; ++expert)
      tensors.push_back({SplitExpertName(layer, expert, own[0]), expert, 1, own});
  }
  return tensors;
}

}  // namespace edgemoe
