// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/status.h"
#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

// The keys of one architecture ("qwen3moe.block_count") with their ranges, and which of them were
// read. Errors: NOT_FOUND for a required key that is missing; INVALID_ARGUMENT for a value of
// another type or outside the range; both name the key and say what is accepted.
class MetadataReader {
 public:
  // `metadata` outlives the reader. `architecture`: without the dot.
  MetadataReader(const GgufFile& metadata, std::string_view architecture);

  std::string KeyOf(std::string_view name) const;
  bool Has(std::string_view name) const;
  bool HasArray(std::string_view name) const;

  // A required number in [least, most].
  Status Count(std::string_view name, std::uint32_t least, std::uint32_t most, std::uint32_t* out);
  // The same, or `fallback` where the key is missing.
  Status CountOr(std::string_view name, std::uint32_t least, std::uint32_t most,
                 std::uint32_t fallback, std::uint32_t* out);
  // A key that says `only` or is missing: it repeats what other keys say, or another number is not
  // supported, as of what must be 0. `why` follows the number in the refusal.
  Status OnlyCount(std::string_view name, std::uint32_t only, std::string_view why);
  // A number that a file may also say once for each layer, as an array of `layer_count` of them.
  // UNIMPLEMENTED where they differ.
  Status SameInEachLayer(std::string_view name, std::uint32_t least, std::uint32_t most,
                         std::uint32_t layer_count, std::uint32_t* out);
  // The number of each layer: an array, or one for all.
  Status EachLayer(std::string_view name, std::uint32_t least, std::uint32_t most,
                   std::uint32_t layer_count, std::vector<std::uint32_t>* out);
  // A flag for each layer.
  Status Flags(std::string_view name, std::uint32_t layer_count, std::vector<bool>* out);
  // A required array.
  Result<std::vector<std::int32_t>> Numbers(std::string_view name);
  Status Number(std::string_view name, float least, float most, float* out);
  Status NumberOr(std::string_view name, float least, float most, float fallback, float* out);
  // An index into `accepted`, or `fallback`. UNIMPLEMENTED for another text.
  Status OneOf(std::string_view name, std::span<const std::string_view> accepted,
               std::size_t fallback, std::size_t* out);
  Status BoolOr(std::string_view name, bool fallback, bool* out);
  // UNIMPLEMENTED where the key is there and false.
  Status OnlyTrue(std::string_view name);
  // A key that only lengthens, names or repeats what other keys say: read, and not looked at.
  void Ignore(std::string_view name);

  // UNIMPLEMENTED names a key neither read nor ignored, but for those of OtherInputOfKey.
  Status RefuseOthers() const;

  const GgufFile& file() const { return metadata_; }

 private:
  const GgufFile& metadata_;
  const std::string prefix_;  // with the dot
  std::set<std::string, std::less<>> read_;
};

}  // namespace edgemoe
