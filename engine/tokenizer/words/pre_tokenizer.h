// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/words/pre_tokenizer_table.h"
#include "engine/tokenizer/words/text_range.h"

namespace edgemoe {

// Splits text into the words inside which BPE may merge, with the patterns that the vocabulary was
// trained with. Immutable and thread-safe; the patterns are compiled once for the process's machine
// code where the system allows that, and interpreted otherwise.
class PreTokenizer {
 public:
  // `pre` is GGUF's tokenizer.ggml.pre. UNIMPLEMENTED names what is known.
  static Result<std::unique_ptr<PreTokenizer>> Create(std::string_view pre);
  ~PreTokenizer();

  const PreTokenizerKind& kind() const { return *kind_; }

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
  explicit PreTokenizer(const PreTokenizerKind& kind);

  const PreTokenizerKind* kind_;
  std::vector<Pattern> patterns_;  // each splits what the ones before it have left
};

}  // namespace edgemoe
