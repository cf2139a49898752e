// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

// A half-open range of bytes of a text.
struct TextRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  friend bool operator==(const TextRange&, const TextRange&) = default;
};

// Splits text into the words inside which BPE may merge, with the patterns that the vocabulary was
// trained with. Immutable and thread-safe; the patterns are compiled once for the process's machine
// code where the system allows that, and interpreted otherwise.
class PreTokenizer {
 public:
  // `pre` is GGUF's tokenizer.ggml.pre. UNIMPLEMENTED names what is known.
  static Result<std::unique_ptr<PreTokenizer>> Create(std::string_view pre);
  ~PreTokenizer();

  // Appends ranges to `words` that cover `text` (valid UTF-8) in order, without gaps. Time and
  // memory are linear in the text. RESOURCE_EXHAUSTED when a match takes more than PCRE2's limits.
  Status Split(std::string_view text, std::vector<TextRange>& words) const;

 private:
  struct Pattern;
  PreTokenizer();
  std::vector<Pattern> patterns_;  // each splits what the ones before it have left
};

}  // namespace edgemoe
