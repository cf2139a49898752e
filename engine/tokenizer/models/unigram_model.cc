// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/unigram_model.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/models/plain_text.h"

namespace edgemoe {

namespace {

// What an unknown character's score is below the lowest of a token: SentencePiece's kUnkPenalty.
constexpr double kUnknownPenalty = 10;
// The memory that a longer part took is given back at once.
constexpr std::size_t kPartBytesKept = 4096;

bool IsMatched(TokenType type) {
  return type == TokenType::kNormal || type == TokenType::kUserDefined ||
         type == TokenType::kUnused;
}

}  // namespace

Result<std::unique_ptr<TextModel>> UnigramModel::Create(const VocabularyDescription& description,
                                                        const TokenTable& table, Spaces spaces,
                                                        std::optional<TokenId> unknown) {
  if (!unknown)
    return Failure(InvalidArgumentError(
        "tokenizer.ggml.unknown_token_id: missing, a unigram vocabulary needs it"));
  EDGEMOE_ASSIGN_OR_FAIL(TextNormalizer normalizer,
                         TextNormalizer::Create(description.precompiled_charsmap));
  std::vector<std::size_t> ids;
  double lowest = std::numeric_limits<float>::max();
  for (std::size_t id = 0; id < table.size(); ++id) {
    if (table.types()[id] == TokenType::kNormal)
      lowest = std::min(lowest, double{description.scores[id]});
    if (IsMatched(table.types()[id]) && !description.tokens[id].empty()) ids.push_back(id);
  }
  // By text; of equal ones the last counts.
  std::sort(ids.begin(), ids.end(), [&](std::size_t a, std::size_t b) {
    const int order = description.tokens[a].compare(description.tokens[b]);
    return order != 0 ? order < 0 : a > b;
  });
  ids.erase(std::unique(ids.begin(), ids.end(),
                        [&](std::size_t a, std::size_t b) {
                          return description.tokens[a] == description.tokens[b];
                        }),
            ids.end());
  std::vector<std::string> texts;
  std::vector<ScoredToken> tokens;
  for (const std::size_t id : ids) {
    const bool is_user_defined = table.types()[id] == TokenType::kUserDefined;
    texts.push_back(description.tokens[id]);
    tokens.push_back({TokenId{static_cast<std::int32_t>(id)},
                      is_user_defined ? 0 : double{description.scores[id]}});
  }
  std::unique_ptr<UnigramModel> made(
      new UnigramModel(texts, std::move(tokens), std::move(normalizer)));
  made->spaces_ = spaces;
  made->unknown_ = *unknown;
  // In single precision, as others compute it.
  made->unknown_score_ = static_cast<float>(lowest) - static_cast<float>(kUnknownPenalty);
  return made;
}

UnigramModel::UnigramModel(const std::vector<std::string>& texts, std::vector<ScoredToken> tokens,
                           TextNormalizer normalizer)
    : texts_(texts), tokens_(std::move(tokens)), normalizer_(std::move(normalizer)) {
  for (const std::string& text : texts) {
    char32_t last = 0;
    for (std::size_t at = 0; at < text.size();) {
      const Utf8Character character = DecodeUtf8(text, at);
      if (at > 0) joins_.Add(last, character.code_point);
      last = character.code_point;
      at += character.bytes;
    }
  }
}

bool UnigramModel::IsToken(std::string_view text) const {
  SortedTexts::Walk walk(texts_);
  for (const char byte : text)
    if (!walk.Step(static_cast<unsigned char>(byte))) return false;
  return walk.Here().has_value();
}

// Takes one part of the stretch after the other: a part ends where no token joins two characters
// and the next character is a token. What is before and behind such a place does not change each
// other.
class UnigramModel::Pieces final : public StretchPieces {
 public:
  Pieces(const UnigramModel& model, std::string_view text, TextRange stretch)
      : model_(model), text_(text), stretch_end_(stretch.end), read_(stretch.begin) {}

  Status Next(std::vector<Piece>& pieces) override {
    EDGEMOE_ASSIGN_OR_RETURN(const std::size_t part_bytes, FillPart());
    if (part_bytes == 0) return OkStatus();
    FindBest(part_bytes);
    AddPieces(part_bytes, pieces);
    normal_.erase(0, part_bytes);
    sources_.erase(sources_.begin(), sources_.begin() + static_cast<std::ptrdiff_t>(part_bytes));
    checked_ = 0;
    if (part_bytes > kPartBytesKept) best_ = {};
    return OkStatus();
  }

 private:
  // The best way to take apart what lies before a byte.
  struct Best {
    double score = 0;
    TokenId token{};          // the last one
    std::uint32_t begin = 0;  // where that begins
  };

  // Reads on until the part is whole, or the stretch ends; bytes of the part in normal_.
  Result<std::size_t> FillPart() {
    while (true) {
      while (checked_ < normal_.size()) {
        const Utf8Character next = DecodeUtf8(normal_, checked_);
        if (checked_ > 0 && !model_.joins_.MayContain(last_, next.code_point) &&
            model_.IsToken(std::string_view(normal_).substr(checked_, next.bytes)))
          return checked_;
        last_ = next.code_point;
        checked_ += next.bytes;
        if (checked_ > kWordBytesMax) return Failure(WordTooLong({sources_.front(), read_}));
      }
      if (read_ == stretch_end_) return normal_.size();
      EDGEMOE_FAIL_IF_ERROR(ReadCharacter());
    }
  }

  Status ReadCharacter() {
    const std::string_view rest = text_.substr(read_, stretch_end_ - read_);
    EDGEMOE_ASSIGN_OR_RETURN(const std::optional<TextNormalizer::Replacement> replacement,
                             model_.normalizer_.ReplaceStart(rest));
    const std::size_t bytes = replacement ? replacement->replaced_bytes : DecodeUtf8(rest, 0).bytes;
    for (const char byte : replacement ? replacement->text : rest.substr(0, bytes)) AddByte(byte);
    read_ += bytes;
    return OkStatus();
  }

  void AddByte(char byte) {
    if (byte == ' ') {
      in_word_ = false;
      if (!model_.spaces_.are_merged) AddNormal(kSpaceMarkText);
      return;
    }
    const bool begins_word = !in_word_;
    in_word_ = true;
    if (begins_word &&
        (model_.spaces_.are_merged || (model_.spaces_.is_put_before && !has_space_))) {
      AddNormal(kSpaceMarkText);
      has_space_ = true;
    }
    AddNormal({&byte, 1});
  }

  void AddNormal(std::string_view bytes) {
    normal_ += bytes;
    sources_.insert(sources_.end(), bytes.size(), static_cast<std::uint32_t>(read_));
  }

  // Viterbi, with the sum of the parts before, as if there had been no cut.
  void FindBest(std::size_t part_bytes) {
    best_.assign(part_bytes + 1, {.score = -std::numeric_limits<double>::max()});
    best_[0].score = score_before_;
    const auto offer = [this](std::size_t begin, std::size_t end, TokenId token, double score) {
      if (score > best_[end].score) best_[end] = {score, token, static_cast<std::uint32_t>(begin)};
    };
    for (std::size_t begin = 0; begin < part_bytes;) {
      const std::size_t character_end = begin + DecodeUtf8(normal_, begin).bytes;
      bool is_known = false;
      SortedTexts::Walk walk(model_.texts_);
      for (std::size_t at = begin; at < part_bytes; ++at) {
        if (!walk.Step(static_cast<unsigned char>(normal_[at]))) break;
        const std::optional<std::size_t> here = walk.Here();
        if (!here) continue;
        if (at + 1 == character_end) is_known = true;
        const ScoredToken& scored = model_.tokens_[*here];
        offer(begin, at + 1, scored.token, best_[begin].score + scored.score);
      }
      if (!is_known)
        offer(begin, character_end, model_.unknown_, best_[begin].score + model_.unknown_score_);
      begin = character_end;
    }
    score_before_ = best_[part_bytes].score;
  }

  void AddPieces(std::size_t part_bytes, std::vector<Piece>& pieces) {
    const std::size_t first = pieces.size();
    std::size_t end = part_bytes;
    while (end > 0) {
      const Best& best = best_[end];
      const std::uint32_t source_end =
          end < sources_.size() ? sources_[end] : static_cast<std::uint32_t>(read_);
      const bool is_unknown = best.token == model_.unknown_;
      if (is_unknown && pieces.size() > first && pieces.back().token == model_.unknown_) {
        pieces.back().byte_begin = sources_[best.begin];
      } else {
        pieces.push_back({best.token, sources_[best.begin], source_end});
      }
      end = best.begin;
    }
    std::reverse(pieces.begin() + static_cast<std::ptrdiff_t>(first), pieces.end());
  }

  const UnigramModel& model_;
  const std::string_view text_;
  const std::size_t stretch_end_;
  std::size_t read_;                    // bytes of the text that are in normal_ or gone
  bool in_word_ = false;                // the last byte was no space
  bool has_space_ = false;              // the one before the stretch
  std::string normal_;                  // what was read, normalized, from the start of the part on
  std::vector<std::uint32_t> sources_;  // for each byte of it, where in the text it comes from
  std::size_t checked_ = 0;             // bytes of normal_ that belong to the part
  char32_t last_ = 0;                   // the character before
  double score_before_ = 0;
  std::vector<Best> best_;  // by end
};

std::unique_ptr<StretchPieces> UnigramModel::Start(std::string_view text, TextRange stretch) const {
  return std::make_unique<Pieces>(*this, text, stretch);
}

}  // namespace edgemoe
