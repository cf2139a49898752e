// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/tokenizer.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/answer_tokens.h"
#include "engine/tokenizer/byte_alphabet.h"

namespace edgemoe {

namespace {

bool IsMarkup(TokenType type) { return type == TokenType::kControl || type == TokenType::kUnknown; }

// With the method that a known one stands for.
std::string ShowModel(const std::string& model) {
  constexpr std::pair<std::string_view, std::string_view> kMethods[] = {
      {"llama", "SentencePiece"}, {"bert", "WordPiece"}, {"t5", "Unigram"}, {"rwkv", "a trie"}};
  for (const auto& [name, method] : kMethods)
    if (name == model) return ShowValue(name) + " (" + std::string(method) + ")";
  return ShowValue(std::string_view(model));
}

Status CheckDescription(const VocabularyDescription& description) {
  if (description.model != kBytePairModel) {
    return UnimplementedError("tokenizer.ggml.model: " +
                              FoundAndAccepted(ShowModel(description.model),
                                               ShowValue(kBytePairModel) + " (byte-level BPE)"));
  }
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
  return OkStatus();
}

TokenType TypeOf(const VocabularyDescription& description, std::size_t id) {
  if (description.token_type.empty()) return TokenType::kNormal;
  const std::int32_t type = description.token_type[id];
  return type == 0 ? TokenType::kNormal : static_cast<TokenType>(type);  // 0: undefined
}

std::vector<SpecialTokens::Entry> SpecialEntries(const VocabularyDescription& description) {
  std::vector<SpecialTokens::Entry> entries;
  for (std::size_t id = 0; id < description.tokens.size(); ++id) {
    const TokenType type = TypeOf(description, id);
    // One that is not UTF-8 itself could only match inside characters of the text.
    const std::string& text = description.tokens[id];
    if (text.empty() || FindInvalidUtf8(text) != std::string_view::npos) continue;
    if (!IsMarkup(type) && type != TokenType::kUserDefined) continue;
    entries.push_back({text, TokenId{static_cast<std::int32_t>(id)}, IsMarkup(type)});
  }
  return entries;
}

// "<0xAB>" to its byte; the text as it is when it is anything else.
std::string ByteTokenBytes(const std::string& text) {
  unsigned value = 0;
  if (text.size() == 6 && text.starts_with("<0x") && text.back() == '>') {
    const char* first = text.data() + 3;
    const auto [end, error] = std::from_chars(first, first + 2, value, 16);
    if (error == std::errc() && end == first + 2) return {static_cast<char>(value)};
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::Create(VocabularyDescription description) {
  EDGEMOE_FAIL_IF_ERROR(CheckDescription(description));
  EDGEMOE_ASSIGN_OR_FAIL(auto pre_tokenizer, PreTokenizer::Create(description.pre));
  EDGEMOE_ASSIGN_OR_FAIL(auto merger,
                         BytePairMerger::Create(description.tokens, description.merges));
  std::unique_ptr<Tokenizer> made(new Tokenizer(std::move(merger), std::move(pre_tokenizer),
                                                SpecialTokens(SpecialEntries(description))));
  made->StoreTokens(description);
  EDGEMOE_FAIL_IF_ERROR(made->StoreSpecialIds(description));
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
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!Contains(tokens[i])) {
      return Failure(InvalidArgumentError("tokens[" + std::to_string(i) +
                                          "]: " + std::to_string(tokens[i].value) +
                                          " is not in [0, " + std::to_string(size() - 1) + "]"));
    }
    const TokenType type = types_[static_cast<std::size_t>(tokens[i].value)];
    if (IsMarkup(type) && !options.render_special) continue;
    text.append(TokenBytes(tokens[i]));
  }
  return text;
}

std::string_view Tokenizer::TokenBytes(TokenId token) const {
  EDGEMOE_CHECK(Contains(token), "token outside the vocabulary");
  const auto id = static_cast<std::size_t>(token.value);
  const std::size_t begin = id == 0 ? 0 : ends_[id - 1];
  return std::string_view(bytes_).substr(begin, ends_[id] - begin);
}

bool Tokenizer::IsControl(TokenId token) const {
  return Contains(token) && IsMarkup(types_[static_cast<std::size_t>(token.value)]);
}

bool Tokenizer::IsEndOfGeneration(TokenId token) const {
  return std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), token);
}

Tokenizer::Tokenizer(BytePairMerger merger, std::unique_ptr<PreTokenizer> pre_tokenizer,
                     SpecialTokens special_tokens)
    : merger_(std::move(merger)),
      pre_tokenizer_(std::move(pre_tokenizer)),
      special_tokens_(std::move(special_tokens)) {}

void Tokenizer::StoreTokens(const VocabularyDescription& description) {
  const std::size_t count = description.tokens.size();
  types_.reserve(count);
  ends_.reserve(count);
  for (std::size_t id = 0; id < count; ++id) {
    const std::string& text = description.tokens[id];
    const TokenType type = TypeOf(description, id);
    types_.push_back(type);
    switch (type) {
      case TokenType::kNormal:
      case TokenType::kUnused: bytes_ += DecodeAlphabet(text); break;
      case TokenType::kByte: bytes_ += ByteTokenBytes(text); break;
      case TokenType::kUnknown:
      case TokenType::kControl:
      case TokenType::kUserDefined: bytes_ += text; break;
    }
    ends_.push_back(bytes_.size());
  }
}

Status Tokenizer::StoreSpecialIds(const VocabularyDescription& description) {
  struct Field {
    const char* name;
    const std::optional<std::uint32_t>& found;
    std::optional<TokenId>& stored;
  };
  const Field fields[] = {
      {"bos_token_id", description.bos_token_id, bos_},
      {"eos_token_id", description.eos_token_id, eos_},
      {"eot_token_id", description.eot_token_id, eot_},
      {"unknown_token_id", description.unknown_token_id, unknown_},
      {"padding_token_id", description.padding_token_id, padding_},
  };
  for (const Field& field : fields) {
    if (!field.found) continue;
    if (*field.found >= size()) {
      return InvalidArgumentError("tokenizer.ggml." + std::string(field.name) + ": " +
                                  std::to_string(*field.found) + " is not in [0, " +
                                  std::to_string(size() - 1) + "]");
    }
    field.stored = TokenId{static_cast<std::int32_t>(*field.found)};
  }
  add_bos_ = description.add_bos_token;
  add_eos_ = description.add_eos_token;
  if (add_bos_ && !bos_) {
    return InvalidArgumentError("tokenizer.ggml.bos_token_id: missing, add_bos_token needs it");
  }
  if (add_eos_ && !eos_) {
    return InvalidArgumentError("tokenizer.ggml.eos_token_id: missing, add_eos_token needs it");
  }
  AnswerTokens found = FindAnswerTokens(description, types_);
  end_of_generation_ = std::move(found.ends);
  // Shown as text from here on; as parts of a text they are still found only where asked for.
  for (const TokenId id : found.markers) {
    types_[static_cast<std::size_t>(id.value)] = TokenType::kUserDefined;
  }
  return OkStatus();
}

}  // namespace edgemoe
