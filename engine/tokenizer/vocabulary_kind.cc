// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/vocabulary_kind.h"

#include <string>
#include <utility>

#include "engine/base/accepted.h"

namespace edgemoe {

namespace {

using enum VocabularyKind::Method;

// The ids of "llama" and "t5" are those that SentencePiece gives, and T5's.
constexpr VocabularyKind kKnown[] = {
    {.model = "gpt2", .name = "byte-level BPE", .method = kListedMerges},
    {.model = "llama",
     .name = "SentencePiece",
     .method = kScoredMerges,
     .adds_bos = true,
     .adds_space_prefix = true,
     .bos_token_id = 1,
     .eos_token_id = 2,
     .unknown_token_id = 0},
    {.model = "t5",
     .name = "Unigram",
     .method = kUnigram,
     .adds_eos = true,
     .eos_token_id = 1,
     .unknown_token_id = 2,
     .padding_token_id = 0},
    {.model = "gemma4", .name = "BPE of characters", .method = kListedMerges, .pre = "gemma4"},
};

constexpr std::pair<std::string_view, std::string_view> kOthers[] = {
    {"bert", "WordPiece"}, {"rwkv", "a trie"}, {"plamo2", "PLaMo-2's"}};

std::string Show(std::string_view model, std::string_view name) {
  return ShowValue(model) + " (" + std::string(name) + ")";
}

}  // namespace

Result<const VocabularyKind*> FindVocabularyKind(std::string_view model) {
  std::string accepted;
  for (const VocabularyKind& known : kKnown) {
    if (known.model == model) return &known;
    accepted += (accepted.empty() ? "" : ", ") + Show(known.model, known.name);
  }
  std::string found = ShowValue(model);
  for (const auto& [other, name] : kOthers)
    if (other == model) found = Show(other, name);
  return Failure(UnimplementedError("tokenizer.ggml.model: " + FoundAndAccepted(found, accepted)));
}

}  // namespace edgemoe
