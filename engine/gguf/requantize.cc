// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/requantize.h"

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/quant/quantize.h"

namespace edgemoe {
namespace {

// The numbers that GGUF tools give in general.file_type for "mostly this type".
Result<std::uint32_t> FileTypeNumber(TensorType type) {
  switch (type) {
    case TensorType::kF32: return 0u;
    case TensorType::kF16: return 1u;
    case TensorType::kQ4_0: return 2u;
    case TensorType::kQ4_1: return 3u;
    case TensorType::kQ8_0: return 7u;
    case TensorType::kQ5_0: return 8u;
    case TensorType::kQ5_1: return 9u;
    case TensorType::kQ2_K: return 10u;
    case TensorType::kQ3_K: return 11u;
    case TensorType::kQ4_K: return 14u;
    case TensorType::kQ5_K: return 16u;
    case TensorType::kQ6_K: return 18u;
    case TensorType::kIQ4_NL: return 25u;
    case TensorType::kIQ4_XS: return 30u;
    case TensorType::kBF16: return 32u;
    case TensorType::kMXFP4: return 38u;
    default:
      return Failure(
          InvalidArgumentError("type " + std::string(TraitsOf(type).name) +
                               (TraitsOf(type).computable ? " is read but not written here" : "") +
                               ": expected " + EncodableTensorTypes()));
  }
}

constexpr std::uint32_t kQuantizationVersion = 2;  // of the block layouts

bool IsWeightMatrix(const GgufTensor& tensor) {
  const std::string_view name = tensor.name;
  return tensor.rows() > 1 && name.ends_with("weight") &&
         name.find("ffn_gate_inp") == std::string_view::npos &&
         name.find("_norm") == std::string_view::npos;
}

TensorType TargetFor(const GgufTensor& tensor, TensorType wanted) {
  if (!IsWeightMatrix(tensor)) return tensor.type;
  for (const TensorType type : {wanted, TensorType::kQ8_0})
    if (tensor.columns() % TraitsOf(type).block_elements == 0) return type;
  return TensorType::kF16;
}

Status CopyMetadata(const GgufFile& source, std::uint32_t file_type, GgufWriter* writer) {
  for (const GgufEntry& entry : source.metadata()) {
    if (entry.key == "general.alignment") continue;
    EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, entry.value));
  }
  EDGEMOE_RETURN_IF_ERROR(writer->Set("general.file_type", file_type));
  return writer->Set("general.quantization_version", kQuantizationVersion);
}

}  // namespace

Result<RequantizePlan> PlanRequantize(const GgufFile& source, TensorType target) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::uint32_t file_type, FileTypeNumber(target));
  EDGEMOE_ASSIGN_OR_FAIL(const std::uint32_t parts, source.GetU32Or("split.count", 1));
  if (parts > 1)
    return Failure(InvalidArgumentError("key \"split.count\": found " + std::to_string(parts) +
                                        "; expected a model in one file"));
  GgufWriter writer(source.alignment());
  EDGEMOE_FAIL_IF_ERROR(CopyMetadata(source, file_type, &writer));
  for (const GgufTensor& tensor : source.tensors()) {
    const TensorType type = TargetFor(tensor, target);
    if (type != tensor.type && !TraitsOf(tensor.type).computable)
      return Failure(UnimplementedError("tensor " + QuoteForMessage(tensor.name) + ": type " +
                                        std::string(TraitsOf(tensor.type).name) +
                                        " cannot be read here"));
    const std::span<const std::uint64_t> dims(tensor.dims.data(), tensor.dimension_count);
    EDGEMOE_FAIL_IF_ERROR(writer.AddTensor(tensor.name, type, dims));
  }
  return RequantizePlan{writer.Build(), source.tensors()};
}

void RequantizeRows(TensorType from, TensorType to, std::uint64_t columns, std::uint64_t row_count,
                    const std::byte* rows, float* scratch, std::byte* out) {
  const std::optional<std::uint64_t> from_bytes = RowBytes(from, columns);
  const std::optional<std::uint64_t> to_bytes = RowBytes(to, columns);
  EDGEMOE_CHECK(from_bytes && to_bytes, "a row is a whole number of blocks");
  if (from == to) {
    std::memcpy(out, rows, row_count * *from_bytes);
    return;
  }
  for (std::uint64_t row = 0; row < row_count; ++row) {
    DequantizeRow(from, rows + row * *from_bytes, columns, scratch);
    QuantizeRow(to, scratch, columns, out + row * *to_bytes);
  }
}

}  // namespace edgemoe
