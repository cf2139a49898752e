// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace edgemoe {

// What tokenizer.ggml.model names: how text becomes tokens, and what holds where a file does not
// say it.
struct VocabularyKind {
  enum class Method : std::uint8_t {
    kListedMerges,  // byte-pair encoding: needs merges
    kScoredMerges,  // SentencePiece's byte-pair encoding: needs scores
    kUnigram,       // the most likely tokens: needs scores
  };

  std::string_view model;
  std::string_view name;  // for messages
  Method method = Method::kListedMerges;
  std::string_view pre = {};  // of all files of this kind; empty: as the file says
  bool adds_bos = false;
  bool adds_eos = false;
  bool adds_space_prefix = false;
  std::optional<std::uint32_t> bos_token_id = {};
  std::optional<std::uint32_t> eos_token_id = {};
  std::optional<std::uint32_t> unknown_token_id = {};
  std::optional<std::uint32_t> padding_token_id = {};
};

// UNIMPLEMENTED names those that are known. The result lives forever.
Result<const VocabularyKind*> FindVocabularyKind(std::string_view model);

}  // namespace edgemoe
