// SPDX-License-Identifier: Apache-2.0
//
// Encoding, which engine/tokenizer/tokenizer.h declares.
#include <algorithm>
#include <string>

#include "engine/base/accepted.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {
namespace {

// The memory that merging a longer word took is given back at once.
constexpr std::size_t kWordBytesKept = 1024;

}  // namespace

Encoding::Encoding(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options)
    : tokenizer_(&tokenizer),
      text_(text),
      options_(options),
      matches_(tokenizer.special_tokens_, text, options.parse_special) {}

Status Encoding::Next(std::size_t count_max, std::vector<Piece>& pieces) {
  while (count_max > 0) {
    if (pending_taken_ == pending_.size()) {
      EDGEMOE_RETURN_IF_ERROR(Advance());
      if (pending_.empty()) return OkStatus();
    }
    const std::size_t count = std::min(count_max, pending_.size() - pending_taken_);
    const auto first = pending_.begin() + static_cast<std::ptrdiff_t>(pending_taken_);
    pieces.insert(pieces.end(), first, first + static_cast<std::ptrdiff_t>(count));
    pending_taken_ += count;
    count_max -= count;
  }
  return OkStatus();
}

Status Encoding::Advance() {
  pending_.clear();
  pending_taken_ = 0;
  if (!began_) {
    began_ = true;
    if (options_.add_special && tokenizer_->add_bos_) Add(*tokenizer_->bos_, 0, 0);
  }
  while (pending_.empty() && !ended_) {
    if (!words_) {
      EDGEMOE_ASSIGN_OR_RETURN(match_, matches_.Next());
      const std::size_t end = match_ ? match_->range.begin : text_.size();
      words_.emplace(*tokenizer_->pre_tokenizer_, text_.substr(words_begin_, end - words_begin_));
    }
    EDGEMOE_ASSIGN_OR_RETURN(const std::optional<TextRange> word, words_->Next());
    if (word) {
      EDGEMOE_RETURN_IF_ERROR(AddWord({words_begin_ + word->begin, words_begin_ + word->end}));
      continue;
    }
    words_.reset();
    if (match_) {
      Add(match_->token, match_->range.begin, match_->range.end);
      words_begin_ = match_->range.end;
      continue;
    }
    ended_ = true;
    if (options_.add_special && tokenizer_->add_eos_)
      Add(*tokenizer_->eos_, text_.size(), text_.size());
  }
  return OkStatus();
}

Status Encoding::AddWord(TextRange word) {
  if (word.end - word.begin > kWordBytesMax) return WordTooLong(word);
  const BytePairMerger& merger = tokenizer_->merger_;
  const std::string_view bytes = text_.substr(word.begin, word.end - word.begin);
  for (const BytePairMerger::Part& part : merger.Merge(bytes, workspace_)) {
    if (const auto token = merger.TokenOfSymbol(part.symbol)) {
      Add(*token, word.begin + part.begin, word.begin + part.end);
      continue;
    }
    // A merge led to a text that is no token: its bytes are.
    for (std::size_t at = word.begin + part.begin; at < word.begin + part.end; ++at) {
      const auto byte = static_cast<std::uint8_t>(text_[at]);
      const auto token = merger.TokenOfByte(byte);
      if (!token && !tokenizer_->unknown_)
        return InvalidFieldError("text", "the vocabulary has no token for byte " + ShowValue(byte) +
                                             " at offset " + ShowValue(at));
      Add(token ? *token : *tokenizer_->unknown_, at, at + 1);
    }
  }
  if (bytes.size() > kWordBytesKept) workspace_ = {};
  return OkStatus();
}

void Encoding::Add(TokenId token, std::size_t begin, std::size_t end) {
  pending_.push_back({token, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
}

}  // namespace edgemoe
