// SPDX-License-Identifier: Apache-2.0
//
// Text to tokens and back, as GGUF files describe it: byte-level BPE, SentencePiece, Unigram and
// Gemma's BPE of characters (vocabulary_kind.h). Ids equal llama.cpp's for the same file and text,
// but for what docs/tokenizers.md lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/tokenizer/models/text_model.h"
#include "engine/tokenizer/models/token_table.h"
#include "engine/tokenizer/vocabulary_description.h"
#include "engine/tokenizer/vocabulary_kind.h"
#include "engine/tokenizer/words/special_tokens.h"

namespace edgemoe {

constexpr std::size_t kVocabularyTokensMax = 1U << 24;
constexpr std::size_t kEncodeBytesMax = 1U << 30;  // of a text

struct EncodeOptions {
  bool add_special = true;     // BOS and EOS where the vocabulary asks for them
  bool parse_special = false;  // "<|im_end|>" in the text is the token, not its characters
};

struct DecodeOptions {
  bool render_special = false;  // control tokens appear with their names
  // The tokens are those of a whole text: the space that the vocabulary puts before one is dropped.
  bool from_start = true;
};

class PreTokenizer;
class Tokenizer;

// The tokens of one text, some at a time: memory does not grow with the text. Made by
// Tokenizer::Start. Thread-compatible.
class Encoding {
 public:
  // Appends the next pieces, at most `count_max`; none at the end. Errors of StretchPieces::Next.
  Status Next(std::size_t count_max, std::vector<Piece>& pieces);

 private:
  friend class Tokenizer;
  Encoding(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options);

  // Puts at least one further piece into pending_, unless at the end.
  Status Advance();
  void Add(TokenId token, std::size_t begin, std::size_t end);

  const Tokenizer* tokenizer_;
  std::string_view text_;
  EncodeOptions options_;
  SpecialTokens::Matches matches_;
  std::optional<SpecialTokens::Match> match_;  // the next one, after the stretch
  std::unique_ptr<StretchPieces> stretch_;     // of the text up to match_, or to the end
  std::size_t stretch_begin_ = 0;
  bool began_ = false;
  bool ended_ = false;
  std::vector<Piece> pending_;  // of one word at most
  std::size_t pending_taken_ = 0;
};

// Immutable; every member may be called from any thread.
class Tokenizer {
 public:
  // INVALID_ARGUMENT names the key that is wrong; UNIMPLEMENTED a model or pre-tokenizer that is
  // not built, and those that are. About 0.2 s for 150,000 tokens.
  static Result<std::unique_ptr<Tokenizer>> Create(const VocabularyDescription& description);

  // The pieces of `text`, which they cover in order, but for characters that a unigram vocabulary
  // drops. Text and tokenizer outlive the encoding. INVALID_ARGUMENT for text that is not UTF-8
  // (with the byte offset) or longer than kEncodeBytesMax.
  Result<Encoding> Start(std::string_view text, EncodeOptions options) const;
  // All of them at once. Errors of Start and of Encoding::Next.
  Result<std::vector<Piece>> Encode(std::string_view text, EncodeOptions options) const;

  // The bytes of the tokens, which are not always UTF-8: see Utf8Stream. INVALID_ARGUMENT for an id
  // outside the vocabulary.
  Result<std::string> Decode(std::span<const TokenId> tokens, DecodeOptions options) const;

  // The bytes that `token` stands for inside a text, its leading space with them, or a control
  // token's name; `token` must be Contains()ed. Valid as long as the tokenizer.
  std::string_view TokenBytes(TokenId token) const;

  bool Contains(TokenId token) const {
    return token.value >= 0 && static_cast<std::size_t>(token.value) < table_.size();
  }
  // Markup without text of its own; false for ids outside the vocabulary, and for the markers that
  // are parts of an answer (answer_tokens.h).
  bool IsControl(TokenId token) const;
  // Generation stops at it (answer_tokens.h).
  bool IsEndOfGeneration(TokenId token) const;
  std::span<const TokenId> end_of_generation() const { return end_of_generation_; }

  std::size_t size() const { return table_.size(); }
  std::optional<TokenId> bos() const { return bos_; }
  std::optional<TokenId> eos() const { return eos_; }
  std::optional<TokenId> eot() const { return eot_; }
  std::optional<TokenId> padding() const { return padding_; }
  bool adds_bos() const { return add_bos_; }
  bool adds_eos() const { return add_eos_; }

 private:
  friend class Encoding;
  Tokenizer(const VocabularyDescription& description, TokenWriting writing,
            SpecialTokens special_tokens);

  Status StoreSpecialIds(const VocabularyDescription& description, const VocabularyKind& kind);
  Status StoreAdded(const VocabularyDescription& description, const VocabularyKind& kind,
                    const PreTokenizer* pre_tokenizer);
  Status StoreModel(const VocabularyDescription& description, const VocabularyKind& kind,
                    std::unique_ptr<PreTokenizer> pre_tokenizer);

  TokenTable table_;
  SpecialTokens special_tokens_;
  std::unique_ptr<const TextModel> model_;  // of table_
  std::vector<TokenId> end_of_generation_;  // ascending
  std::optional<TokenId> bos_, eos_, eot_, unknown_, padding_;
  bool add_bos_ = false;
  bool add_eos_ = false;
  bool add_space_prefix_ = false;
};

}  // namespace edgemoe
