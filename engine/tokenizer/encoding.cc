// SPDX-License-Identifier: Apache-2.0
//
// Encoding, which engine/tokenizer/tokenizer.h declares.
#include <algorithm>

#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

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
    if (stretch_ == nullptr) {
      EDGEMOE_ASSIGN_OR_RETURN(match_, matches_.Next());
      const std::size_t end = match_ ? match_->range.begin : text_.size();
      stretch_ = tokenizer_->model_->Start(text_, {stretch_begin_, end});
    }
    EDGEMOE_RETURN_IF_ERROR(stretch_->Next(pending_));
    if (!pending_.empty()) continue;
    stretch_.reset();
    if (match_) {
      Add(match_->token, match_->range.begin, match_->range.end);
      stretch_begin_ = match_->range.end;
      continue;
    }
    ended_ = true;
    if (options_.add_special && tokenizer_->add_eos_)
      Add(*tokenizer_->eos_, text_.size(), text_.size());
  }
  return OkStatus();
}

void Encoding::Add(TokenId token, std::size_t begin, std::size_t end) {
  pending_.push_back({token, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
}

}  // namespace edgemoe
