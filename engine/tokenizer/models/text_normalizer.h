// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

// SentencePiece's precompiled_charsmap: which characters, or sequences of them, become which others
// before a text is taken apart. A double array of 32-bit units as the library Darts-clone makes
// them, then the texts that replace, each with a zero byte at its end. Immutable and thread-safe.
class TextNormalizer {
 public:
  // SentencePiece's own maps replace at most 18 bytes by at most 33.
  static constexpr std::size_t kReplacedBytesMax = 256;  // longer sequences are not looked for
  static constexpr std::size_t kReplacementBytesMax = 256;

  struct Replacement {
    std::string_view text;       // lives as long as the normalizer
    std::size_t replaced_bytes;  // of the input, whole characters
  };

  // Empty: nothing is replaced. INVALID_ARGUMENT names the key where sizes do not fit or the texts
  // are no UTF-8.
  static Result<TextNormalizer> Create(std::span<const std::uint8_t> charsmap);

  // What the longest known sequence at the start of `text`, which is UTF-8, becomes; none where no
  // one is known. INVALID_ARGUMENT names the key where the double array leads outside
  // of itself or to a text that is longer.
  Result<std::optional<Replacement>> ReplaceStart(std::string_view text) const;

 private:
  TextNormalizer() = default;
  Result<std::string_view> TextAt(std::uint32_t offset) const;

  std::vector<std::uint32_t> units_;
  std::string texts_;
};

}  // namespace edgemoe
