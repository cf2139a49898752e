// SPDX-License-Identifier: Apache-2.0
#include "engine/model/ops/encoded_rows.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/quant/block_formats.h"

namespace edgemoe {
namespace {

constexpr std::array<ActivationType, kActivationTypeCount> kTypes = {
    ActivationType::kF32, ActivationType::kF16, ActivationType::kBF16, ActivationType::kQ8_0,
    ActivationType::kQ8_K};

// Weights of a type that needs whole blocks cannot have rows of other lengths.
bool CanEncode(ActivationType type, std::size_t columns) {
  if (type == ActivationType::kQ8_0) return columns % kSmallBlock == 0;
  if (type == ActivationType::kQ8_K) return columns % kSuperBlock == 0;
  return true;
}

// The longest rows of this type that are at most so long.
std::size_t StrideUpTo(ActivationType type, std::size_t columns) {
  if (type == ActivationType::kQ8_0) columns = AlignDown(columns, kSmallBlock);
  if (type == ActivationType::kQ8_K) columns = AlignDown(columns, kSuperBlock);
  return EncodedStride(type, columns);
}

}  // namespace

std::size_t EncodedStride(ActivationType type, std::size_t columns) {
  return AlignUp(ActivationRowBytes(type, columns), kRowAlignment);
}

std::size_t EncodedStrideMax(std::size_t columns) {
  std::size_t most = 0;
  for (const ActivationType type : kTypes) {
    if (CanEncode(type, columns)) most = std::max(most, EncodedStride(type, columns));
  }
  return most;
}

std::size_t EncodedRows::Bytes(std::size_t rows_max, std::size_t columns_max) {
  std::size_t stride = 0;
  for (const ActivationType type : kTypes) stride += StrideUpTo(type, columns_max);
  return rows_max * stride;
}

EncodedRows::EncodedRows(const KernelTable& kernels, ComputePool& pool, std::byte* memory,
                         std::size_t rows_max, std::size_t columns_max)
    : kernels_(kernels), pool_(pool), columns_max_(columns_max), columns_(columns_max) {
  for (const ActivationType type : kTypes) {
    encodings_[static_cast<std::size_t>(type)] = memory;
    memory += rows_max * StrideUpTo(type, columns_max);
  }
}

void EncodedRows::Set(const float* source, std::size_t rows, std::size_t columns) {
  EDGEMOE_DCHECK(columns <= columns_max_, "rows are longer than there is room for");
  source_ = source;
  rows_ = rows;
  columns_ = columns;
  done_.fill(false);
}

const std::byte* EncodedRows::As(ActivationType type) {
  const auto index = static_cast<std::size_t>(type);
  std::byte* const encoding = encodings_[index];
  if (!done_[index]) {
    const std::size_t stride = EncodedStride(type, columns_);
    pool_.ParallelFor(rows_, [&](std::size_t row, std::size_t) {
      kernels_.encode[index](source_ + row * columns_, columns_, encoding + row * stride);
    });
    done_[index] = true;
  }
  return encoding;
}

}  // namespace edgemoe
