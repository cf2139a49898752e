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

bool ExpertsAreSplit(const GgufSet& files, std::size_t layer) {
  if (files.FindTensor(StackedExpertName(layer, ExpertRole::kGate)) != nullptr) return false;
  return files.FindTensor(SplitExpertName(layer, 0, ExpertRole::kGate)) != nullptr ||
         IsPack(files.metadata());
}

}  // namespace edgemoe
