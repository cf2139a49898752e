// SPDX-License-Identifier: Apache-2.0
//
// The names of a split model's files, as llama.cpp's gguf-split writes them:
// "STEM-00001-of-00003.gguf".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace edgemoe {

constexpr std::uint32_t kSplitCountMax = 1024;

struct SplitName {
  std::string_view stem;    // of the path that was parsed, with its folders; not empty
  std::uint32_t part = 0;   // from 1, as its name says
  std::uint32_t count = 0;  // of all parts, as its name says

  // Whether there can be such a part of such a model.
  bool is_possible() const { return part >= 1 && part <= count && count <= kSplitCountMax; }
  // The path of another part.
  std::string PathOf(std::uint32_t other) const;
};

// Empty where the path or URL does not end as such a name does. Its numbers may be impossible.
std::optional<SplitName> ParseSplitName(std::string_view path);

}  // namespace edgemoe
