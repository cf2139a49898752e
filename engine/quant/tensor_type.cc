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
    TensorTypeTraits{TensorType::kF32, "F32", 1, 4, true},
    TensorTypeTraits{TensorType::kF16, "F16", 1, 2, true},
    TensorTypeTraits{TensorType::kQ4_0, "Q4_0", 32, 18, true},
    TensorTypeTraits{TensorType::kQ4_1, "Q4_1", 32, 20, true},
    TensorTypeTraits{TensorType::kQ5_0, "Q5_0", 32, 22, true},
    TensorTypeTraits{TensorType::kQ5_1, "Q5_1", 32, 24, true},
    TensorTypeTraits{TensorType::kQ8_0, "Q8_0", 32, 34, true},
    TensorTypeTraits{TensorType::kQ8_1, "Q8_1", 32, 36, false},
    TensorTypeTraits{TensorType::kQ2_K, "Q2_K", 256, 84, true},
    TensorTypeTraits{TensorType::kQ3_K, "Q3_K", 256, 110, true},
    TensorTypeTraits{TensorType::kQ4_K, "Q4_K", 256, 144, true},
    TensorTypeTraits{TensorType::kQ5_K, "Q5_K", 256, 176, true},
    TensorTypeTraits{TensorType::kQ6_K, "Q6_K", 256, 210, true},
    TensorTypeTraits{TensorType::kQ8_K, "Q8_K", 256, 292, false},
    TensorTypeTraits{TensorType::kIQ4_NL, "IQ4_NL", 32, 18, true},
    TensorTypeTraits{TensorType::kI8, "I8", 1, 1, false},
    TensorTypeTraits{TensorType::kI16, "I16", 1, 2, false},
    TensorTypeTraits{TensorType::kI32, "I32", 1, 4, false},
    TensorTypeTraits{TensorType::kI64, "I64", 1, 8, false},
    TensorTypeTraits{TensorType::kF64, "F64", 1, 8, false},
    TensorTypeTraits{TensorType::kBF16, "BF16", 1, 2, true},
    TensorTypeTraits{TensorType::kMXFP4, "MXFP4", 32, 17, true},
};

constexpr char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ToUpper(x) == ToUpper(y); });
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
      {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {21, "IQ3_S"},
      {22, "IQ2_S"},   {23, "IQ4_XS"}, {29, "IQ1_M"},   {34, "TQ1_0"}, {35, "TQ2_0"}};
  for (const auto& [known, name] : kNames)
    if (known == number) return std::string(name) + " (" + std::to_string(number) + ")";
  return std::to_string(number);
}

std::string ComputableTensorTypes() {
  std::string names;
  for (const TensorTypeTraits& traits : kTraits)
    if (traits.computable) names.append(names.empty() ? "" : ", ").append(traits.name);
  return names;
}

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
