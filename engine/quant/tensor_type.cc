// SPDX-License-Identifier: Apache-2.0
#include "engine/quant/tensor_type.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr std::array kTraits = {
    TensorTypeTraits{TensorType::kF32, "F32", 1, 4, true, true},
    TensorTypeTraits{TensorType::kF16, "F16", 1, 2, true, true},
    TensorTypeTraits{TensorType::kQ4_0, "Q4_0", 32, 18, true, true},
    TensorTypeTraits{TensorType::kQ4_1, "Q4_1", 32, 20, true, true},
    TensorTypeTraits{TensorType::kQ5_0, "Q5_0", 32, 22, true, true},
    TensorTypeTraits{TensorType::kQ5_1, "Q5_1", 32, 24, true, true},
    TensorTypeTraits{TensorType::kQ8_0, "Q8_0", 32, 34, true, true},
    TensorTypeTraits{TensorType::kQ8_1, "Q8_1", 32, 36, false, false},
    TensorTypeTraits{TensorType::kQ2_K, "Q2_K", 256, 84, true, true},
    TensorTypeTraits{TensorType::kQ3_K, "Q3_K", 256, 110, true, true},
    TensorTypeTraits{TensorType::kQ4_K, "Q4_K", 256, 144, true, true},
    TensorTypeTraits{TensorType::kQ5_K, "Q5_K", 256, 176, true, true},
    TensorTypeTraits{TensorType::kQ6_K, "Q6_K", 256, 210, true, true},
    TensorTypeTraits{TensorType::kQ8_K, "Q8_K", 256, 292, false, false},
    TensorTypeTraits{TensorType::kIQ2_XXS, "IQ2_XXS", 256, 66, true, false},
    TensorTypeTraits{TensorType::kIQ2_XS, "IQ2_XS", 256, 74, true, false},
    TensorTypeTraits{TensorType::kIQ3_XXS, "IQ3_XXS", 256, 98, true, false},
    TensorTypeTraits{TensorType::kIQ4_NL, "IQ4_NL", 32, 18, true, true},
    TensorTypeTraits{TensorType::kIQ3_S, "IQ3_S", 256, 110, true, false},
    TensorTypeTraits{TensorType::kIQ2_S, "IQ2_S", 256, 82, true, false},
    TensorTypeTraits{TensorType::kIQ4_XS, "IQ4_XS", 256, 136, true, true},
    TensorTypeTraits{TensorType::kI8, "I8", 1, 1, false, false},
    TensorTypeTraits{TensorType::kI16, "I16", 1, 2, false, false},
    TensorTypeTraits{TensorType::kI32, "I32", 1, 4, false, false},
    TensorTypeTraits{TensorType::kI64, "I64", 1, 8, false, false},
    TensorTypeTraits{TensorType::kF64, "F64", 1, 8, false, false},
    TensorTypeTraits{TensorType::kBF16, "BF16", 1, 2, true, true},
    TensorTypeTraits{TensorType::kMXFP4, "MXFP4", 32, 17, true, true},
};

constexpr char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ToUpper(x) == ToUpper(y); });
}

using Flag = bool TensorTypeTraits::*;

std::string NamesWhere(Flag holds) {
  std::string names;
  for (const TensorTypeTraits& traits : kTraits)
    if (traits.*holds) names.append(names.empty() ? "" : ", ").append(traits.name);
  return names;
}

}  // namespace

const TensorTypeTraits* FindTensorType(std::uint32_t number) {
  for (const TensorTypeTraits& traits : kTraits)
    if (static_cast<std::uint32_t>(traits.type) == number) return &traits;
  return nullptr;
}

const TensorTypeTraits* FindTensorType(std::string_view name) {
  for (const TensorTypeTraits& traits : kTraits)
    if (EqualIgnoringCase(traits.name, name)) return &traits;
  return nullptr;
}

std::string ForeignTensorTypeName(std::uint32_t number) {
  // As ggml numbers them.
  constexpr std::pair<std::uint32_t, const char*> kNames[] = {
      {19, "IQ1_S"}, {29, "IQ1_M"}, {34, "TQ1_0"}, {35, "TQ2_0"}};
  for (const auto& [known, name] : kNames)
    if (known == number) return std::string(name) + " (" + std::to_string(number) + ")";
  return std::to_string(number);
}

std::string ComputableTensorTypes() { return NamesWhere(&TensorTypeTraits::computable); }

std::string EncodableTensorTypes() { return NamesWhere(&TensorTypeTraits::encodable); }

const TensorTypeTraits& TraitsOf(TensorType type) {
  const TensorTypeTraits* traits = FindTensorType(static_cast<std::uint32_t>(type));
  EDGEMOE_CHECK(traits != nullptr, "not an enumerator of TensorType");
  return *traits;
}

std::optional<std::uint64_t> RowBytes(TensorType type, std::uint64_t columns) {
  const TensorTypeTraits& traits = TraitsOf(type);
  if (columns % traits.block_elements != 0) return std::nullopt;
  const std::uint64_t blocks = columns / traits.block_elements;
  if (blocks > std::numeric_limits<std::uint64_t>::max() / traits.block_bytes) return std::nullopt;
  return blocks * traits.block_bytes;
}

}  // namespace edgemoe
