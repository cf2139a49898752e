// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/tokenizer/vocabulary_description.h"

namespace edgemoe {

// The control tokens that shape an answer, known by their names whatever the metadata says.
struct AnswerTokens {
  // Generation stops at these: the vocabulary's EOS and EOT, and control tokens whose names say so.
  // Ascending, each once.
  std::vector<TokenId> ends;
  // Parts of an answer, shown in its text: an answer of gpt-oss is a sequence of messages, each
  // "<|channel|>NAME<|message|>TEXT", with "<|end|><|start|>assistant" between two, so that
  // <|end|> ends no answer there. Empty for other vocabularies.
  std::vector<TokenId> markers;
};

// `names` and `types` by id; `stated`: the ids that the file calls EOS and EOT.
AnswerTokens FindAnswerTokens(std::span<const std::string> names, std::span<const TokenType> types,
                              std::span<const TokenId> stated);

}  // namespace edgemoe
