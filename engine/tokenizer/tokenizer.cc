// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/tokenizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/answer_tokens.h"
#include "engine/tokenizer/models/merge_model.h"
#include "engine/tokenizer/models/unigram_model.h"
#include "engine/tokenizer/words/pre_tokenizer.h"

namespace edgemoe {

namespace {

Status CheckScores(const VocabularyDescription& description) {
  const std::vector<float>& scores = description.scores;
  if (scores.size() != description.tokens.size())
    return InvalidArgumentError(
        "tokenizer.ggml.scores: " +
        FoundAndAccepted(ShowValue(scores.size()) + " scores",
                         ShowValue(description.tokens.size()) + ", as many as tokens"));
  for (std::size_t id = 0; id < scores.size(); ++id)
    if (!std::isfinite(scores[id]))
      return InvalidArgumentError(
          "tokenizer.ggml.scores[" + ShowValue(id) +
          "]: " + FoundAndAccepted(ShowValue(double{scores[id]}), "finite numbers"));
  return OkStatus();
}

Status CheckDescription(const VocabularyDescription& description, const VocabularyKind& kind) {
  const std::size_t count = description.tokens.size();
  if (count == 0 || count > kVocabularyTokensMax) {
    return InvalidArgumentError("tokenizer.ggml.tokens: " + std::to_string(count) +
                                " tokens: 1 to " + std::to_string(kVocabularyTokensMax) +
                                " are accepted");
  }
  if (description.merges.size() > kVocabularyTokensMax) {
    return InvalidArgumentError(
        "tokenizer.ggml.merges: " + std::to_string(description.merges.size()) + " merges: up to " +
        std::to_string(kVocabularyTokensMax) + " are accepted");
  }
  const auto& types = description.token_type;
  if (!types.empty() && types.size() != count) {
    return InvalidArgumentError("tokenizer.ggml.token_type: " + std::to_string(types.size()) +
                                " types for " + std::to_string(count) + " tokens");
  }
  for (std::size_t id = 0; id < types.size(); ++id) {
    if (types[id] < 0 || types[id] > static_cast<std::int32_t>(TokenType::kByte)) {
      return InvalidArgumentError("tokenizer.ggml.token_type[" + std::to_string(id) +
                                  "]: " + std::to_string(types[id]) + " is not in [0, 6]");
    }
  }
  if (kind.method != VocabularyKind::Method::kListedMerges) return CheckScores(description);
  return OkStatus();
}

std::vector<SpecialTokens::Entry> SpecialEntries(const VocabularyDescription& description) {
  std::vector<SpecialTokens::Entry> entries;
  for (std::size_t id = 0; id < description.token_type.size(); ++id) {
    const auto type = static_cast<TokenType>(description.token_type[id]);
    // One that is not UTF-8 itself could only match inside characters of the text.
    const std::string& text = description.tokens[id];
    if (text.empty() || FindInvalidUtf8(text) != std::string_view::npos) continue;
    if (!IsMarkup(type) && type != TokenType::kUserDefined) continue;
    entries.push_back({text, TokenId{static_cast<std::int32_t>(id)}, IsMarkup(type)});
  }
  return entries;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::Create(const VocabularyDescription& description) {
  EDGEMOE_ASSIGN_OR_FAIL(const VocabularyKind* kind, FindVocabularyKind(description.model));
  EDGEMOE_FAIL_IF_ERROR(CheckDescription(description, *kind));
  TokenWriting writing = TokenWriting::kPlainText;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  if (kind->method == VocabularyKind::Method::kListedMerges) {
    const std::string_view pre = kind->pre.empty() ? description.pre : kind->pre;
    EDGEMOE_ASSIGN_OR_FAIL(pre_tokenizer, PreTokenizer::Create(pre));
    if (!pre_tokenizer->kind().is_plain_text) writing = TokenWriting::kByteAlphabet;
  }
  std::unique_ptr<Tokenizer> made(
      new Tokenizer(description, writing, SpecialTokens(SpecialEntries(description))));
  EDGEMOE_FAIL_IF_ERROR(made->StoreSpecialIds(description, *kind));
  EDGEMOE_FAIL_IF_ERROR(made->StoreAdded(description, *kind, pre_tokenizer.get()));
  EDGEMOE_FAIL_IF_ERROR(made->StoreModel(description, *kind, std::move(pre_tokenizer)));
  return made;
}

Result<Encoding> Tokenizer::Start(std::string_view text, EncodeOptions options) const {
  if (text.size() > kEncodeBytesMax)
    return Failure(
        InvalidField("text", ShowValue(text.size()) + " bytes", AcceptedAtMost(kEncodeBytesMax)));
  if (const std::size_t bad = FindInvalidUtf8(text); bad != std::string_view::npos)
    return Failure(NotUtf8Field("text", bad));
  return Encoding(*this, text, options);
}

Result<std::vector<Piece>> Tokenizer::Encode(std::string_view text, EncodeOptions options) const {
  EDGEMOE_ASSIGN_OR_FAIL(Encoding encoding, Start(text, options));
  std::vector<Piece> pieces;
  EDGEMOE_FAIL_IF_ERROR(encoding.Next(std::numeric_limits<std::size_t>::max(), pieces));
  return pieces;
}

Result<std::string> Tokenizer::Decode(std::span<const TokenId> tokens,
                                      DecodeOptions options) const {
  std::string text;
  bool drops_space = options.from_start && add_space_prefix_;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!Contains(tokens[i])) {
      return Failure(InvalidArgumentError("tokens[" + std::to_string(i) +
                                          "]: " + std::to_string(tokens[i].value) +
                                          " is not in [0, " + std::to_string(size() - 1) + "]"));
    }
    if (IsMarkup(table_.type(tokens[i])) && !options.render_special) continue;
    std::string_view bytes = TokenBytes(tokens[i]);
    if (text.empty() && drops_space && bytes.starts_with(' ')) {
      bytes.remove_prefix(1);
      drops_space = false;
    }
    text.append(bytes);
  }
  return text;
}

std::string_view Tokenizer::TokenBytes(TokenId token) const {
  EDGEMOE_CHECK(Contains(token), "token outside the vocabulary");
  return table_.Bytes(token);
}

bool Tokenizer::IsControl(TokenId token) const {
  return Contains(token) && IsMarkup(table_.type(token));
}

bool Tokenizer::IsEndOfGeneration(TokenId token) const {
  return std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), token);
}

Tokenizer::Tokenizer(const VocabularyDescription& description, TokenWriting writing,
                     SpecialTokens special_tokens)
    : table_(description, writing), special_tokens_(std::move(special_tokens)) {}

Status Tokenizer::StoreSpecialIds(const VocabularyDescription& description,
                                  const VocabularyKind& kind) {
  struct Field {
    const char* name;
    const std::optional<std::uint32_t>& found;
    const std::optional<std::uint32_t>& usual;
    std::optional<TokenId>& stored;
  };
  constexpr std::optional<std::uint32_t> kNone;
  const Field fields[] = {
      {"bos_token_id", description.bos_token_id, kind.bos_token_id, bos_},
      {"eos_token_id", description.eos_token_id, kind.eos_token_id, eos_},
      {"eot_token_id", description.eot_token_id, kNone, eot_},
      {"unknown_token_id", description.unknown_token_id, kind.unknown_token_id, unknown_},
      {"padding_token_id", description.padding_token_id, kind.padding_token_id, padding_},
  };
  for (const Field& field : fields) {
    if (field.found && *field.found >= size()) {
      return InvalidArgumentError("tokenizer.ggml." + std::string(field.name) + ": " +
                                  std::to_string(*field.found) + " is not in [0, " +
                                  std::to_string(size() - 1) + "]");
    }
    const std::optional<std::uint32_t>& id = field.found ? field.found : field.usual;
    if (id && *id < size()) field.stored = TokenId{static_cast<std::int32_t>(*id)};
  }
  std::vector<TokenId> stated;
  for (const std::optional<TokenId>& id : {eos_, eot_})
    if (id) stated.push_back(*id);
  AnswerTokens found = FindAnswerTokens(description.tokens, table_.types(), stated);
  end_of_generation_ = std::move(found.ends);
  // Shown as text from here on; as parts of a text they are still found only where asked for.
  for (const TokenId id : found.markers) table_.SetType(id, TokenType::kUserDefined);
  return OkStatus();
}

Status Tokenizer::StoreAdded(const VocabularyDescription& description, const VocabularyKind& kind,
                             const PreTokenizer* pre_tokenizer) {
  using AddsBos = PreTokenizerKind::AddsBos;
  const AddsBos adds_bos =
      pre_tokenizer == nullptr ? AddsBos::kIfFileSays : pre_tokenizer->kind().adds_bos;
  const bool usual = kind.adds_bos || (adds_bos == AddsBos::kUnlessFileDenies && bos_);
  add_bos_ = adds_bos == AddsBos::kAlways || description.add_bos_token.value_or(usual);
  add_eos_ = description.add_eos_token.value_or(kind.adds_eos);
  add_space_prefix_ = description.add_space_prefix.value_or(kind.adds_space_prefix);
  if (add_bos_ && !bos_) {
    return InvalidArgumentError("tokenizer.ggml.bos_token_id: missing, add_bos_token needs it");
  }
  if (add_eos_ && !eos_) {
    return InvalidArgumentError("tokenizer.ggml.eos_token_id: missing, add_eos_token needs it");
  }
  return OkStatus();
}

Status Tokenizer::StoreModel(const VocabularyDescription& description, const VocabularyKind& kind,
                             std::unique_ptr<PreTokenizer> pre_tokenizer) {
  using Method = VocabularyKind::Method;
  switch (kind.method) {
    case Method::kListedMerges: {
      EDGEMOE_ASSIGN_OR_RETURN(
          model_,
          MergeModel::CreateListed(description, table_, std::move(pre_tokenizer), unknown_));
      break;
    }
    case Method::kScoredMerges: {
      EDGEMOE_ASSIGN_OR_RETURN(
          model_, MergeModel::CreateScored(description, table_, add_space_prefix_, unknown_));
      break;
    }
    case Method::kUnigram: {
      const UnigramModel::Spaces spaces = {
          .is_put_before = add_space_prefix_,
          .are_merged = description.remove_extra_whitespaces.value_or(false)};
      EDGEMOE_ASSIGN_OR_RETURN(model_, UnigramModel::Create(description, table_, spaces, unknown_));
      break;
    }
  }
  return OkStatus();
}

}  // namespace edgemoe
