// SPDX-License-Identifier: Apache-2.0
#include "engine/study/text_windows.h"

#include <algorithm>
#include <string>

#include "engine/base/accepted.h"

namespace edgemoe {

Result<TextWindows> CutWindows(const Tokenizer& tokenizer, std::string_view text,
                               std::uint32_t context_tokens, std::size_t windows_max) {
  if (context_tokens < kWindowTokensMin)
    return Failure(InvalidField("context_tokens", ShowValue(context_tokens),
                                AcceptedAtLeast(kWindowTokensMin)));
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<Piece> pieces, tokenizer.Encode(text, {}));
  std::size_t count = pieces.size() / context_tokens;
  if (count == 0)
    return Failure(
        InvalidField("text", ShowValue(pieces.size()) + " tokens",
                     AcceptedAtLeast(context_tokens) + ", for one window of context_tokens"));
  if (windows_max != 0) count = std::min(count, windows_max);
  TextWindows windows{context_tokens, {}};
  windows.tokens.reserve(count * context_tokens);
  for (std::size_t i = 0; i < count * context_tokens; ++i)
    windows.tokens.push_back(pieces[i].token);
  if (tokenizer.adds_bos() && tokenizer.bos())
    for (std::size_t window = 0; window < count; ++window)
      windows.tokens[window * context_tokens] = *tokenizer.bos();
  return windows;
}

}  // namespace edgemoe
