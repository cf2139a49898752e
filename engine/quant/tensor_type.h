// SPDX-License-Identifier: Apache-2.0
//
// The element types of GGUF tensors, by their number in the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgemoe {

enum class TensorType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kBF16 = 30,
  kMXFP4 = 39,
};
// One past the largest number above: tables are indexed by type.
constexpr std::size_t kTensorTypeCount = 40;

// What a type's number means on disk. A row is a whole number of blocks.
struct TensorTypeTraits {
  TensorType type;
  std::string_view name;         // as GGUF tools print it: "Q4_K"
  std::uint32_t block_elements;  // elements in a block
  std::uint32_t block_bytes;     // bytes of a block
  bool computable;               // this build can dequantise and multiply it
  bool encodable;                // and quantise into it
};

// Null for a number that is not a type known here.
const TensorTypeTraits* FindTensorType(std::uint32_t number);
// By name, case-insensitive ("q4_k", "Q8_0"); null when unknown.
const TensorTypeTraits* FindTensorType(std::string_view name);
// "IQ1_S (19)", or the number alone: for messages about types that are not known here.
std::string ForeignTensorTypeName(std::uint32_t number);
// The names of the types that can be computed with: "F32, F16, ...".
std::string ComputableTensorTypes();
// The names of the types that can be written.
std::string EncodableTensorTypes();
// REQUIRES: `type` is one of the enumerators.
const TensorTypeTraits& TraitsOf(TensorType type);

// Of the blocks, scales included.
inline double BitsPerWeight(TensorType type) {
  const TensorTypeTraits& traits = TraitsOf(type);
  return 8.0 * traits.block_bytes / traits.block_elements;
}

// Bytes of a row of `columns` elements; empty when `columns` is not a whole number of blocks or the
// result overflows.
std::optional<std::uint64_t> RowBytes(TensorType type, std::uint64_t columns);

}  // namespace edgemoe
