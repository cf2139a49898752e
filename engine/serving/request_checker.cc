// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/request_checker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/utf8.h"
#include "engine/model/sampler.h"

namespace edgemoe {
namespace {

Status TooMany(const char* field, std::size_t found, std::size_t accepted, const char* what) {
  return InvalidField(field, ShowValue(found) + what, AcceptedAtMost(accepted));
}

}  // namespace

RequestChecker::RequestChecker(const Tokenizer& tokenizer, std::uint32_t context_tokens,
                               Pooling pooling)
    : tokenizer_(tokenizer), context_tokens_(context_tokens), pooling_(pooling) {
  std::size_t longest = 1;
  for (std::size_t i = 0; i < tokenizer.size(); ++i) {
    const TokenId token{static_cast<std::int32_t>(i)};
    longest = std::max(longest, tokenizer.TokenBytes(token).size());
  }
  text_bytes_max_ = std::uint64_t{context_tokens} * longest;
}

Result<CheckedRequest> RequestChecker::Check(GenerateRequest request) const {
  CheckedRequest plan;
  plan.kind = RequestKind::kGenerate;
  EDGEMOE_ASSIGN_OR_FAIL(plan.prompt,
                         CheckInput(std::move(request.prompt), "prompt", "prompt_tokens", 1));
  EDGEMOE_FAIL_IF_ERROR(
      ValidateSampling(request.sampling, static_cast<std::uint32_t>(tokenizer_.size())));
  EDGEMOE_FAIL_IF_ERROR(CheckStop(request.stop));
  if (request.top_logprob_count < -1 ||
      request.top_logprob_count > static_cast<int>(kTopLogprobsMax)) {
    return Failure(InvalidField("response.top_logprobs", ShowValue(request.top_logprob_count),
                                AcceptedRange(0, kTopLogprobsMax)));
  }
  plan.sampling = std::move(request.sampling);
  plan.stop = std::move(request.stop);
  plan.top_logprob_count = request.top_logprob_count;
  return plan;
}

Result<CheckedRequest> RequestChecker::Check(ScoreRequest request) const {
  CheckedRequest plan;
  plan.kind = RequestKind::kScore;
  EDGEMOE_ASSIGN_OR_FAIL(plan.prompt, CheckInput(std::move(request.text), "text", "tokens", 2));
  EDGEMOE_FAIL_IF_ERROR(CheckRange("top_logprobs", request.top_logprob_count, 0, kTopLogprobsMax));
  plan.top_logprob_count = static_cast<int>(request.top_logprob_count);
  return plan;
}

Result<CheckedRequest> RequestChecker::Check(EmbedRequest request) const {
  CheckedRequest plan;
  plan.kind = RequestKind::kEmbed;
  plan.embedding = request.parameters;
  if (!plan.embedding.pooling) plan.embedding.pooling = pooling_;
  EDGEMOE_FAIL_IF_ERROR(CheckRange("texts", request.texts.size(), 1, kEmbedTextsMax));
  const std::size_t tokens_max = std::max(kEmbedTokensMax, context_tokens_);
  std::size_t tokens_count = 0;
  for (std::size_t i = 0; i < request.texts.size(); ++i) {
    const std::string field = "texts[" + std::to_string(i) + "]";
    EDGEMOE_ASSIGN_OR_FAIL(
        std::vector<TokenId> tokens,
        CheckInput(std::move(request.texts[i]), field.c_str(), field.c_str(), 1));
    tokens_count += tokens.size();
    if (tokens_count > tokens_max)
      return Failure(InvalidField("texts", "more than " + ShowValue(tokens_max) + " tokens in all",
                                  AcceptedAtMost(tokens_max)));
    if (i == 0) {
      plan.prompt = std::move(tokens);
    } else {
      plan.further_texts.push_back(std::move(tokens));
    }
  }
  return plan;
}

Result<std::vector<TokenId>> RequestChecker::CheckInput(Input input, const char* text_field,
                                                        const char* tokens_field,
                                                        std::size_t least) const {
  const bool is_text = std::holds_alternative<std::string>(input);
  const char* field = is_text ? text_field : tokens_field;
  std::vector<TokenId> tokens;
  if (is_text) {
    EDGEMOE_ASSIGN_OR_FAIL(tokens, Encode(std::get<std::string>(input), field, least));
  } else {
    tokens = std::move(std::get<std::vector<TokenId>>(input));
  }
  EDGEMOE_FAIL_IF_ERROR(CheckCount(field, tokens.size(), least));
  EDGEMOE_FAIL_IF_ERROR(CheckTokens(tokens, field));
  return tokens;
}

Result<std::vector<TokenId>> RequestChecker::Encode(const std::string& text, const char* field,
                                                    std::size_t least) const {
  std::vector<TokenId> tokens;
  if (text.empty()) return tokens;  // even where the model would add a token of its own
  if (const std::size_t invalid = FindInvalidUtf8(text); invalid != std::string_view::npos)
    return Failure(NotUtf8Field(field, invalid));
  if (text.size() > text_bytes_max_) {
    return Failure(InvalidField(field,
                                ShowValue(text.size()) + " bytes of text, which are more than " +
                                    ShowValue(context_tokens_) +
                                    " tokens, the context that is served",
                                "fewer")
                       .WithReason(Reason::kContextExceeded)
                       .WithFigure({"context_tokens", context_tokens_}));
  }
  constexpr std::size_t kPiecesAtOnce = 4096;
  auto encoding = tokenizer_.Start(text, {.add_special = true, .parse_special = true});
  if (!encoding) return Failure(encoding.error().WithField(field));
  std::size_t count = 0;  // told in full; of more than the context none is kept
  std::vector<Piece> pieces;
  do {
    pieces.clear();
    if (const Status status = encoding->Next(kPiecesAtOnce, pieces); !status.ok())
      return Failure(status.WithField(field));
    count += pieces.size();
    if (count > context_tokens_) continue;
    for (const Piece& piece : pieces) tokens.push_back(piece.token);
  } while (!pieces.empty());
  EDGEMOE_FAIL_IF_ERROR(CheckCount(field, count, least));
  return tokens;
}

Status RequestChecker::CheckCount(const char* field, std::size_t count, std::size_t least) const {
  if (count >= least && count <= context_tokens_) return OkStatus();
  Status status =
      InvalidField(field, ShowValue(count) + " tokens",
                   AcceptedRange(least, context_tokens_) + ", the context that is served");
  if (count <= context_tokens_) return status;
  return status.WithReason(Reason::kContextExceeded)
      .WithFigure({"context_tokens", context_tokens_})
      .WithFigure({"prompt_tokens", count});
}

Status RequestChecker::CheckTokens(std::span<const TokenId> tokens, const char* field) const {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokenizer_.Contains(tokens[i])) continue;
    return InvalidField(std::string(field) + "[" + std::to_string(i) + "]",
                        ShowValue(tokens[i].value), AcceptedRange(0, tokenizer_.size() - 1));
  }
  return OkStatus();
}

Status RequestChecker::CheckStop(const StopParameters& stop) const {
  if (stop.sequences.size() > kStopSequencesMax)
    return TooMany("stopping.sequences", stop.sequences.size(), kStopSequencesMax, " sequences");
  for (std::size_t i = 0; i < stop.sequences.size(); ++i) {
    const std::string field = "stopping.sequences[" + std::to_string(i) + "]";
    const std::string& sequence = stop.sequences[i];
    if (sequence.empty() || sequence.size() > kStopSequenceBytesMax) {
      return InvalidField(field, ShowValue(sequence.size()) + " bytes",
                          AcceptedRange(1, kStopSequenceBytesMax));
    }
    if (const std::size_t invalid = FindInvalidUtf8(sequence); invalid != std::string_view::npos)
      return NotUtf8Field(field, invalid);
  }
  if (stop.tokens.size() > kStopTokensMax)
    return TooMany("stopping.tokens", stop.tokens.size(), kStopTokensMax, " tokens");
  return CheckTokens(stop.tokens, "stopping.tokens");
}

}  // namespace edgemoe
