// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/merge_model.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"

namespace edgemoe {

namespace {

// The memory that merging a longer word took is given back at once.
constexpr std::size_t kWordBytesKept = 1024;

}  // namespace

Result<std::unique_ptr<TextModel>> MergeModel::CreateListed(
    const VocabularyDescription& description, const TokenTable& table,
    std::unique_ptr<PreTokenizer> pre_tokenizer, std::optional<TokenId> unknown) {
  const PreTokenizerKind& kind = pre_tokenizer->kind();
  const TokenWriting writing =
      kind.is_plain_text ? TokenWriting::kPlainText : TokenWriting::kByteAlphabet;
  SymbolTable symbols(std::vector<std::string_view>(description.tokens.begin(),  //
                                                    description.tokens.end()));
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<PairMerge> merges,
                         ListedMerges(description.merges, symbols));
  std::unique_ptr<MergeModel> made(new MergeModel(BytePairMerger(symbols, merges, writing),
                                                  ByteFallback(description, writing, unknown),
                                                  writing));
  if (kind.whole_words != PreTokenizerKind::WholeWords::kNone)
    made->whole_words_.emplace(table, kind.whole_words == PreTokenizerKind::WholeWords::kNewlines);
  made->pre_tokenizer_ = std::move(pre_tokenizer);
  return made;
}

Result<std::unique_ptr<TextModel>> MergeModel::CreateScored(
    const VocabularyDescription& description, const TokenTable& table, bool space_before,
    std::optional<TokenId> unknown) {
  constexpr TokenWriting kWriting = TokenWriting::kPlainText;
  // Markup and byte tokens are never made of text.
  std::vector<std::string_view> texts(table.size());
  for (std::size_t id = 0; id < table.size(); ++id) {
    const TokenType type = table.types()[id];
    if (!IsMarkup(type) && type != TokenType::kByte &&
        description.tokens[id].size() <= kScoredTokenBytesMax)
      texts[id] = description.tokens[id];
  }
  SymbolTable symbols(texts);
  const std::vector<PairMerge> merges = ScoredMerges(texts, description.scores, symbols);
  std::unique_ptr<MergeModel> made(new MergeModel(BytePairMerger(symbols, merges, kWriting),
                                                  ByteFallback(description, kWriting, unknown),
                                                  kWriting));
  made->space_before_ = space_before;
  return made;
}

class MergeModel::Pieces final : public StretchPieces {
 public:
  Pieces(const MergeModel& model, std::string_view text, TextRange stretch)
      : model_(model), text_(text), stretch_(stretch), word_{stretch.begin, stretch.begin} {
    if (model.pre_tokenizer_ != nullptr) {
      words_.emplace(*model.pre_tokenizer_, text.substr(stretch.begin, stretch.size()));
    } else {
      word_ = stretch;
      needs_space_ = model.space_before_ && stretch.size() > 0;
    }
  }

  Status Next(std::vector<Piece>& pieces) override {
    for (const std::size_t before = pieces.size(); pieces.size() == before;) {
      if (!needs_space_ && word_.size() == 0) {
        EDGEMOE_ASSIGN_OR_RETURN(const bool has_word, FindWord(pieces));
        if (!has_word) break;
      } else {
        EDGEMOE_RETURN_IF_ERROR(AddSegment(pieces));
      }
    }
    return OkStatus();
  }

 private:
  // False at the end. A word that is a token is added at once.
  Result<bool> FindWord(std::vector<Piece>& pieces) {
    if (!words_) return false;
    EDGEMOE_ASSIGN_OR_FAIL(const std::optional<TextRange> word, words_->Next());
    if (!word) return false;
    word_ = {stretch_.begin + word->begin, stretch_.begin + word->end};
    if (!model_.whole_words_) return true;
    if (const auto token = model_.whole_words_->Find(text_.substr(word_.begin, word_.size()))) {
      Add(*token, word_, pieces);
      word_.begin = word_.end;
    }
    return true;
  }

  // What of the word merging needs at once: all of it, or up to where nothing joins two characters.
  Result<TextRange> Segment() const {
    if (model_.writing_ == TokenWriting::kByteAlphabet) {
      if (word_.size() > kWordBytesMax) return Failure(WordTooLong(word_));
      return word_;
    }
    std::size_t end = word_.begin;
    char32_t last = U' ';
    bool has_last = needs_space_;
    while (end < word_.end) {
      const Utf8Character next = DecodeUtf8(text_, end);
      if (has_last && !model_.merger_.MayJoin(last, next.code_point)) break;
      last = next.code_point;
      has_last = true;
      end += next.bytes;
      if (end - word_.begin > kWordBytesMax) return Failure(WordTooLong({word_.begin, end}));
    }
    return TextRange{word_.begin, end};
  }

  Status AddSegment(std::vector<Piece>& pieces) {
    EDGEMOE_ASSIGN_OR_RETURN(const TextRange segment, Segment());
    const std::string_view bytes = text_.substr(segment.begin, segment.size());
    for (const BytePairMerger::Part& part : model_.merger_.Merge(bytes, needs_space_, workspace_)) {
      const TextRange range{segment.begin + part.begin, segment.begin + part.end};
      if (const auto token = model_.merger_.TokenOfSymbol(part.symbol)) {
        Add(*token, range, pieces);
      } else if (range.size() > 0) {
        // In no token, or made by merges that lead to none.
        EDGEMOE_RETURN_IF_ERROR(model_.fallback_.Add(text_, range, pieces));
      } else if (const auto space = model_.fallback_.TokenOf(' ')) {
        Add(*space, range, pieces);
      }
    }
    needs_space_ = false;
    word_.begin = segment.end;
    if (bytes.size() > kWordBytesKept) workspace_ = {};
    return OkStatus();
  }

  static void Add(TokenId token, TextRange range, std::vector<Piece>& pieces) {
    pieces.push_back(
        {token, static_cast<std::uint32_t>(range.begin), static_cast<std::uint32_t>(range.end)});
  }

  const MergeModel& model_;
  const std::string_view text_;
  const TextRange stretch_;
  std::optional<PreTokenizer::Words> words_;
  TextRange word_;  // what is left of the word
  bool needs_space_ = false;
  BytePairMerger::Workspace workspace_;
};

std::unique_ptr<StretchPieces> MergeModel::Start(std::string_view text, TextRange stretch) const {
  return std::make_unique<Pieces>(*this, text, stretch);
}

}  // namespace edgemoe
