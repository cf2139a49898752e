// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/answer_tokens.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace edgemoe {

namespace {

constexpr std::string_view kEndOfMessage = "<|end|>";
constexpr std::string_view kGemmaToolResponse = "<|tool_response>";

constexpr std::string_view kEndOfGenerationNames[] = {
    "<|eot_id|>",
    "<|im_end|>",
    kEndOfMessage,
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<turn|>",
    kGemmaToolResponse,
    "[e~[",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<eos>",
    "<end_of_utterance>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|EOT|>",
    "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
};

constexpr std::string_view kMarkerNames[] = {
    "<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", kEndOfMessage,
};

TokenId IdOf(std::size_t index) { return TokenId{static_cast<std::int32_t>(index)}; }

bool IsOneOf(std::string_view name, auto&& names) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

AnswerTokens FindAnswerTokens(std::span<const std::string> names, std::span<const TokenType> types,
                              std::span<const TokenId> stated) {
  AnswerTokens found;
  std::vector<TokenId> markers;
  const auto name_of = [&](TokenId id) -> std::string_view {
    return names[static_cast<std::size_t>(id.value)];
  };
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] != TokenType::kControl) continue;
    if (IsOneOf(names[i], kEndOfGenerationNames)) found.ends.push_back(IdOf(i));
    if (IsOneOf(names[i], kMarkerNames)) markers.push_back(IdOf(i));
  }
  found.ends.insert(found.ends.end(), stated.begin(), stated.end());
  std::sort(found.ends.begin(), found.ends.end());
  found.ends.erase(std::unique(found.ends.begin(), found.ends.end()), found.ends.end());

  const auto has_end = [&](std::string_view name) {
    return std::any_of(found.ends.begin(), found.ends.end(),
                       [&](TokenId id) { return name_of(id) == name; });
  };
  // Gemma 4 names HTML's tags as tokens, "</s>" with them.
  if (has_end(kGemmaToolResponse))
    std::erase_if(found.ends, [&](TokenId id) { return name_of(id) == "</s>"; });

  // llama.cpp's way to know a vocabulary whose <|end|> ends a message only: what ends an answer or
  // a call of a tool has names of its own.
  const bool is_harmony = has_end("<|return|>") && has_end("<|call|>");
  const bool has_flush = has_end("<|flush|>") && (has_end("<|call|>") || has_end("<|calls|>"));
  if (!has_end(kEndOfMessage) || !(is_harmony || has_flush)) return found;
  std::erase_if(found.ends, [&](TokenId id) { return name_of(id) == kEndOfMessage; });
  found.markers = std::move(markers);
  return found;
}

}  // namespace edgemoe
