// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/base/status.h"

namespace edgemoe {

// A half-open range of bytes of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

// Of a word, and of special tokens that overlap: merging takes 50 bytes of memory for each byte.
constexpr std::size_t kWordBytesMax = std::size_t{256} << 10;

// INVALID_ARGUMENT about "text".
Status WordTooLong(TextRange word);

}  // namespace edgemoe
