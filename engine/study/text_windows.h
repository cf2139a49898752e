// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

constexpr std::uint32_t kWindowTokensMin = 4;

// A text as windows of `context_tokens` tokens each, one after another, as llama-perplexity cuts
// it: the text is tokenised once, with the special tokens that the vocabulary adds, what does not
// fill a window is left out, and where the vocabulary adds a BOS, each window begins with it, in
// place of the token that stood there.
struct TextWindows {
  std::uint32_t context_tokens = 0;
  std::vector<TokenId> tokens;  // [count, context_tokens]

  std::size_t count() const { return context_tokens == 0 ? 0 : tokens.size() / context_tokens; }
  std::span<const TokenId> of(std::size_t window) const {
    return std::span(tokens).subspan(window * context_tokens, context_tokens);
  }
};

// The first `windows_max` windows of `text`, all of them for 0. INVALID_ARGUMENT: context_tokens
// below kWindowTokensMin; a text that is not UTF-8, or does not fill one window: says how many
// tokens it has.
Result<TextWindows> CutWindows(const Tokenizer& tokenizer, std::string_view text,
                               std::uint32_t context_tokens, std::size_t windows_max);

}  // namespace edgemoe
