// SPDX-License-Identifier: Apache-2.0
//
// What one token asks of a machine: bytes that are multiplied, bytes that may have to be read.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/load/model_header.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

struct TypedBytes {
  TensorType type = TensorType::kF32;
  double bytes = 0;
};

// Of a token that is decoded alone.
struct StepDemand {
  // Bytes of weights that every token is multiplied with, and of those of its experts, each type
  // once. Sequence state is among the former: keys and values as F16, once for each head that looks
  // at them, recurrent state as F32.
  std::vector<TypedBytes> dense;
  std::vector<TypedBytes> experts;
  std::uint64_t dense_memory_bytes = 0;  // all dense weights: what stays in memory beside experts
  std::uint64_t expert_total_bytes = 0;  // of all experts
  std::uint32_t layer_count = 0;
  std::uint32_t expert_layer_count = 0;
  std::uint32_t experts_used = 0;  // in each of these layers
  double expert_read_bytes = 0;    // of one expert, whole blocks; the average one's
  double expert_read_count = 0;    // runs of blocks that an expert lies in
};

// How long a sequence is taken to be.
constexpr std::uint32_t kDemandContextTokens = 256;

StepDemand DemandOf(const ModelHeader& header, std::uint32_t context_tokens = kDemandContextTokens);

// The types that a demand needs rates of.
std::vector<TensorType> TypesOf(const StepDemand& demand);

}  // namespace edgemoe
