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

namespace edgemoe {

// One tensor of the pack and the bytes of the source that it is made of.
struct PackTensor {
  std::uint32_t source_file = 0;
  std::uint64_t source_offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t target_offset = 0;
};

// A pack is written piece by piece: a piece is a dense tensor, or an expert with its three
// matrices. Each has a checksum; dense ones stand first, experts follow by layer and index.
// Immutable.
class PackPlan {
 public:
  // INVALID_ARGUMENT or UNIMPLEMENTED name a tensor that a pack cannot hold.
  static Result<PackPlan> Make(const PackSource& source);

  std::size_t piece_count() const { return dense_count_ + expert_count_; }
  // In the order of their target offsets.
  std::span<const PackTensor> piece(std::size_t index) const;
  std::uint64_t piece_bytes(std::size_t index) const;
  std::uint64_t weight_bytes() const { return weight_bytes_; }  // of all pieces
  std::uint64_t header_bytes() const { return header_bytes_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  // The header with all checksums, header_bytes() long. `checksums` [piece_count].
  std::string Header(std::span<const std::uint64_t> checksums) const;

  // kPackSourceDigestKey's value.
  static std::string SourceDigest(std::span<const std::uint64_t> checksums);

 private:
  PackPlan() : writer_(kPackAlignment) {}
  Status AddTensors(const PackSource& source);
  void Place();

  GgufWriter writer_;  // with zeros for checksums
  std::vector<PackTensor> tensors_;
  std::size_t dense_count_ = 0;
  std::size_t expert_count_ = 0;
  std::uint64_t weight_bytes_ = 0;
  std::uint64_t header_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace edgemoe
