// SPDX-License-Identifier: Apache-2.0
//
// The header of a new GGUF file (version 3, little-endian), and where each tensor's bytes go. The
// caller writes these, in any order; gaps are zeros.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

struct GgufHeader {
  std::string bytes;                // from the file's start to where its data starts
  std::vector<GgufTensor> tensors;  // in the order of AddTensor, with offset and bytes
  std::uint64_t file_bytes = 0;     // the last tensor's end, rounded up to the alignment
};

// Thread-compatible. What it builds, ParseGguf accepts.
class GgufWriter {
 public:
  // `alignment` of tensors: a power of two, at most kGgufAlignmentMax.
  explicit GgufWriter(std::uint32_t alignment = kGgufDefaultAlignment);

  // Adds a key, or replaces its value in place. INVALID_ARGUMENT for an empty or too long key, for
  // "general.alignment" (it follows from the constructor's), and for values beyond the reader's
  // bounds.
  Status Set(std::string_view key, GgufValue value);

  // `dims` innermost first. Tensors are laid out in the order of these calls. INVALID_ARGUMENT for
  // a name that is empty, too long or taken, and for shapes that the reader would refuse.
  Status AddTensor(std::string_view name, TensorType type, std::span<const std::uint64_t> dims);

  GgufHeader Build() const;

 private:
  std::uint32_t alignment_;
  std::uint64_t data_bytes_ = 0;  // of all tensors so far, each padded
  std::vector<GgufEntry> metadata_;
  std::vector<GgufTensor> tensors_;  // offsets from the data's start
  std::unordered_set<std::string> tensor_names_;
};

}  // namespace edgemoe
