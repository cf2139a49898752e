// SPDX-License-Identifier: Apache-2.0
//
// GGUF: bytes -> description of the file. Parses only; the caller reads the file. Little-endian
// files of versions 2 and 3. The result is immutable, owns its data, and may be shared by threads.
//
// The bytes are hostile until checked. What ParseGguf guarantees of every description it gives:
// (G1) no allocation grew beyond a small multiple of the bytes given;
// (G2) keys are unique, and so are tensor names;
// (G3) every tensor has 1 to 4 dimensions, none 0, a row of whole blocks, and a type known here;
// (G4) every tensor lies within the file, at a multiple of the alignment, and none overlaps
//      another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_value.h"
#include "engine/quant/tensor_type.h"

namespace edgemoe {

constexpr std::uint32_t kGgufDefaultAlignment = 32;
constexpr std::uint32_t kGgufAlignmentMax = 1u << 20;  // a power of two, at least 1
constexpr std::uint64_t kGgufEntryCountMax = 1u << 16;
constexpr std::uint64_t kGgufTensorCountMax = 1u << 20;
constexpr std::uint64_t kGgufKeyBytesMax = 65535;
constexpr std::uint64_t kGgufNameBytesMax = 255;  // of a tensor
constexpr std::uint64_t kGgufStringBytesMax = 16u << 20;
constexpr std::uint64_t kGgufArrayCountMax = 1u << 24;
constexpr std::uint32_t kGgufArrayDepthMax = 4;
constexpr std::uint64_t kGgufNestedCountMax = 1u << 16;      // arrays in an array
constexpr std::uint64_t kGgufHeaderBytesMax = 512ull << 20;  // all before the data
constexpr std::size_t kGgufDimensionsMax = 4;

struct GgufTensor {
  std::string name;
  TensorType type = TensorType::kF32;
  std::uint32_t dimension_count = 1;
  std::array<std::uint64_t, kGgufDimensionsMax> dims = {1, 1, 1, 1};  // innermost first
  std::uint32_t file_index = 0;  // the part that holds it; 0 unless it comes from a GgufSet
  std::uint64_t offset = 0;      // in its file
  std::uint64_t bytes = 0;

  std::uint64_t columns() const { return dims[0]; }
  std::uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
  // "[256, 4096]": innermost first, as in the file.
  std::string ShapeText() const;
};

struct GgufEntry {
  std::string key;
  GgufValue value;
};

class GgufFile {
 public:
  std::uint32_t version() const { return version_; }
  std::uint32_t alignment() const { return alignment_; }
  std::uint64_t data_offset() const { return data_offset_; }  // where the header has ended

  const std::vector<GgufEntry>& metadata() const { return metadata_; }  // in the file's order
  const std::vector<GgufTensor>& tensors() const { return tensors_; }   // in the file's order

  // Null when absent. O(log n).
  const GgufValue* Find(std::string_view key) const;
  const GgufTensor* FindTensor(std::string_view name) const;

  // NOT_FOUND names a missing key; INVALID_ARGUMENT the key, the value found and what is accepted.
  // Integers of any width are taken where the value fits, floats of both widths; a string view and
  // an array live as long as this object.
  Result<std::uint32_t> GetU32(std::string_view key) const;
  Result<std::uint64_t> GetU64(std::string_view key) const;
  Result<float> GetF32(std::string_view key) const;
  Result<bool> GetBool(std::string_view key) const;
  Result<std::string_view> GetString(std::string_view key) const;
  Result<const GgufArray*> GetStrings(std::string_view key) const;  // use StringAt
  Result<std::vector<std::int32_t>> GetInt32Array(std::string_view key) const;
  Result<std::vector<std::uint64_t>> GetU64Array(std::string_view key) const;  // of u64 alone
  Result<std::vector<bool>> GetBoolArray(std::string_view key) const;
  Result<std::vector<float>> GetF32Array(std::string_view key) const;

  // Like the functions without Or, but a missing key gives `fallback`.
  Result<std::uint32_t> GetU32Or(std::string_view key, std::uint32_t fallback) const;
  Result<float> GetF32Or(std::string_view key, float fallback) const;
  Result<bool> GetBoolOr(std::string_view key, bool fallback) const;
  Result<std::string_view> GetStringOr(std::string_view key, std::string_view fallback) const;

 private:
  friend class GgufParser;
  std::uint32_t version_ = 3;
  std::uint32_t alignment_ = kGgufDefaultAlignment;
  std::uint64_t data_offset_ = 0;
  std::vector<GgufEntry> metadata_;
  std::vector<GgufTensor> tensors_;
  std::vector<std::uint32_t> entries_by_key_;   // indices, sorted
  std::vector<std::uint32_t> tensors_by_name_;  // indices, sorted
};

// Bytes of a tensor; empty when a dimension is 0, a row is not whole blocks, or the number of
// elements or bytes does not fit in 63 bits.
std::optional<std::uint64_t> GgufTensorBytes(
    TensorType type, const std::array<std::uint64_t, kGgufDimensionsMax>& dims);

// `bytes` is the file, or a part of it from its start; `file_bytes` the size of the whole file.
// OUT_OF_RANGE: the header is longer than `bytes` (only when these are fewer than file_bytes: read
// more and call again). UNIMPLEMENTED: a version, byte order or tensor type not supported.
// INVALID_ARGUMENT: anything else, with the offset, key or tensor at fault. REQUIRES: bytes.size()
// <= file_bytes.
Result<GgufFile> ParseGguf(std::span<const std::byte> bytes, std::uint64_t file_bytes);

}  // namespace edgemoe
