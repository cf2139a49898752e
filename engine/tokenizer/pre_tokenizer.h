// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
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

// Of a word, and of special tokens that overlap: merging takes 40 bytes of memory for each byte.
constexpr std::size_t kWordBytesMax = std::size_t{256} << 10;

// INVALID_ARGUMENT about "text".
Status WordTooLong(TextRange word);

// Splits text into the words inside which BPE may merge, with the patterns that the vocabulary was
// trained with. Immutable and thread-safe; the patterns are compiled once for the process's machine
// code where the system allows that, and interpreted otherwise.
class PreTokenizer {
 public:
  // `pre` is GGUF's tokenizer.ggml.pre. UNIMPLEMENTED names what is known.
  static Result<std::unique_ptr<PreTokenizer>> Create(std::string_view pre);
  ~PreTokenizer();

  // The words of one text (valid UTF-8), which cover it in order, without gaps. Both outlive the
  // object. Time is linear in the text; memory does not grow with it.
  class Words {
   public:
    Words(const PreTokenizer& pre_tokenizer, std::string_view text);
    Words(Words&&) noexcept;
    Words& operator=(Words&&) noexcept;
    ~Words();

    // None at the end. RESOURCE_EXHAUSTED when a match takes more than PCRE2's limits.
    Result<std::optional<TextRange>> Next();

   private:
    struct Matcher;
    // What one pattern has left to split.
    struct Level {
      TextRange range;
      std::size_t done = 0;              // where the next part begins
      std::optional<TextRange> match{};  // the next one, once it was looked for
    };
    Result<TextRange> NextPart(std::size_t pattern, Level& level);

    const PreTokenizer* pre_tokenizer_;
    std::string_view text_;
    std::unique_ptr<Matcher> matcher_;
    std::vector<Level> levels_;  // one a pattern that is at work; empty at the end
  };

 private:
  struct Pattern;
  PreTokenizer();
  std::vector<Pattern> patterns_;  // each splits what the ones before it have left
};

}  // namespace edgemoe
