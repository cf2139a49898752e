// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/byte_fallback.h"

#include <string>
#include <unordered_map>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/models/byte_alphabet.h"
#include "engine/tokenizer/models/plain_text.h"

namespace edgemoe {

ByteFallback::ByteFallback(const VocabularyDescription& description, TokenWriting writing,
                           std::optional<TokenId> unknown)
    : writing_(writing), unknown_(unknown) {
  std::unordered_map<std::string_view, TokenId> short_tokens;
  for (std::size_t id = 0; id < description.tokens.size(); ++id) {
    const std::string& text = description.tokens[id];
    if (text.size() <= ByteTokenText(0).size())
      short_tokens[text] = TokenId{static_cast<std::int32_t>(id)};
  }
  const auto find = [&](const std::string& text) -> std::optional<TokenId> {
    const auto found = short_tokens.find(text);
    if (found == short_tokens.end()) return std::nullopt;
    return found->second;
  };
  for (unsigned value = 0; value < 256; ++value) {
    const auto byte = static_cast<std::uint8_t>(value);
    if (writing == TokenWriting::kByteAlphabet) {
      tokens_[value] = find(ByteToAlphabet(byte));
      continue;
    }
    tokens_[value] = find(ByteTokenText(byte));
    if (!tokens_[value]) tokens_[value] = find({static_cast<char>(byte)});
  }
}

Status ByteFallback::Add(std::string_view text, TextRange range, std::vector<Piece>& pieces) const {
  const auto add = [&pieces](TokenId token, std::size_t begin, std::size_t end) {
    pieces.push_back({token, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  };
  for (std::size_t at = range.begin; at < range.end;) {
    const std::size_t end =
        writing_ == TokenWriting::kPlainText ? at + DecodeUtf8(text, at).bytes : at + 1;
    const std::size_t missing = FindMissing(text, {at, end});
    if (missing == end) {
      for (; at < end; ++at) add(*tokens_[static_cast<std::uint8_t>(text[at])], at, at + 1);
      continue;
    }
    if (!unknown_)
      return InvalidFieldError("text", "the vocabulary has no token for byte " +
                                           ShowValue(static_cast<std::uint8_t>(text[missing])) +
                                           " at offset " + ShowValue(missing));
    add(*unknown_, at, end);
    at = end;
  }
  return OkStatus();
}

// The first byte of the range that has no token, or its end.
std::size_t ByteFallback::FindMissing(std::string_view text, TextRange range) const {
  std::size_t at = range.begin;
  while (at < range.end && tokens_[static_cast<std::uint8_t>(text[at])]) ++at;
  return at;
}

}  // namespace edgemoe
