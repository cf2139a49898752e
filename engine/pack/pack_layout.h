// SPDX-License-Identifier: Apache-2.0
//
// What a pack will look like, down to the byte, before anything is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/gguf_writer.h"
#include "engine/gguf/pack_keys.h"
#include "engine/pack/pack_source.h"
#include "engine/pack/pack_tensors.h"
#include "engine/pack/recipe.h"

namespace edgemoe {

// A tensor and where it goes.
struct PlacedTensor {
  PackTensor tensor;
  TensorType type = TensorType::kF32;  // in the pack
  std::uint64_t bytes = 0;             // in the pack
  std::uint64_t target_offset = 0;
};

// Tensors stand at multiples of kPackAlignment unless that would waste more than a
// kPaddingShare-th, as with small experts; then at kGgufDefaultAlignment, and a record is read with
// its neighbours' edges, as from a stock file.
constexpr std::uint64_t kPaddingShare = 64;
std::uint32_t PackAlignmentFor(std::span<const PackTensor> tensors, const PackRecipe& recipe);

// A pack is written piece by piece: a piece is a dense tensor, or an expert with its three
// matrices. Each has a checksum; dense ones stand first, experts follow by layer and index.
// Immutable.
class PackLayout {
 public:
  // INVALID_ARGUMENT or UNIMPLEMENTED name a tensor that a pack cannot hold. REQUIRES: each tensor
  // takes its type of the recipe, or keeps the source's.
  static Result<PackLayout> Make(const PackSource& source, const PackRecipe& recipe);

  std::size_t piece_count() const { return dense_count_ + expert_count_; }
  // In the order of their target offsets.
  std::span<const PlacedTensor> piece(std::size_t index) const;
  std::uint64_t piece_bytes(std::size_t index) const;
  std::uint64_t weight_bytes() const { return weight_bytes_; }  // of all pieces, in the pack
  std::uint64_t header_bytes() const { return header_bytes_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  // The header with all checksums, header_bytes() long. [piece_count] each: of the pieces as the
  // source has them, and as the pack does.
  std::string Header(std::span<const std::uint64_t> source_checksums,
                     std::span<const std::uint64_t> checksums) const;

  // kPackSourceDigestKey's value, of the source's checksums.
  static std::string SourceDigest(std::span<const std::uint64_t> checksums);

 private:
  explicit PackLayout(std::uint32_t alignment) : writer_(alignment) {}
  Status AddTensors(std::vector<PackTensor> tensors, const PackRecipe& recipe);
  void Place();

  GgufWriter writer_;  // with zeros for checksums
  std::vector<PlacedTensor> tensors_;
  std::size_t dense_count_ = 0;
  std::size_t expert_count_ = 0;
  std::uint64_t weight_bytes_ = 0;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace edgemoe
