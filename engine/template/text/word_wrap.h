// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace edgemoe::jinja {

struct WrapOptions {
  std::size_t width = 79;  // characters; at least 1
  bool breaks_long_words = true;
  bool breaks_at_hyphens = true;
};

// What WrapWords() takes of memory for each byte of text.
constexpr std::size_t kWrapBytesPerByte = 64;

// The parts of `line`, each of at most `width` characters where words can be broken so, without the
// spaces around them: as Python's textwrap.wrap() breaks, which keeps tabs and line ends. Time is
// linear in the text.
std::vector<std::string_view> WrapWords(std::string_view line, const WrapOptions& options);

}  // namespace edgemoe::jinja
