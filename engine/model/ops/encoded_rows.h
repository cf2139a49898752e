// SPDX-License-Identifier: Apache-2.0
//
// Activations as matrix products take them: encoded once for each type of weights that they meet.
#pragma once

#include <array>
#include <cstddef>

#include "engine/kernels/kernel_table.h"
#include "engine/parallel/compute_pool.h"

namespace edgemoe {

constexpr std::size_t kRowAlignment = 64;

// Bytes from one encoded row to the next.
std::size_t EncodedStride(ActivationType type, std::size_t columns);
// The same distance for the type that needs the most bytes.
std::size_t EncodedStrideMax(std::size_t columns);

// Rows of floats and their encodings. Owns no memory. Engine's thread.
class EncodedRows {
 public:
  static std::size_t Bytes(std::size_t rows_max, std::size_t columns_max);

  // `memory`: Bytes(rows_max, columns_max) of it, alive while this is.
  EncodedRows(const KernelTable& kernels, ComputePool& pool, std::byte* memory,
              std::size_t rows_max, std::size_t columns_max);

  // From now on these [rows, columns], of columns_max; forgets all encodings.
  void Set(const float* source, std::size_t rows) { Set(source, rows, columns_max_); }
  void Set(const float* source, std::size_t rows, std::size_t columns);

  // The rows in `type`, EncodedStride(type, columns) apart; encodes at the first call after Set.
  const std::byte* As(ActivationType type);

  std::size_t columns() const { return columns_; }

 private:
  const KernelTable& kernels_;
  ComputePool& pool_;
  std::size_t columns_max_;
  std::size_t columns_;
  const float* source_ = nullptr;
  std::size_t rows_ = 0;
  std::array<std::byte*, kActivationTypeCount> encodings_{};
  std::array<bool, kActivationTypeCount> done_{};
};

}  // namespace edgemoe
