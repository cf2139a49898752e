// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace edgemoe {

// GGUF's numbers for the kinds of tokens.
enum class TokenType : std::int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,      // markup such as <|im_start|>: no text of its own
  kUserDefined = 4,  // literal text that is always one token
  kUnused = 5,
  kByte = 6,  // "<0xAB>"
};

// A vocabulary as a model file states it: plain values, not yet trusted. Each field is named after
// its key below "tokenizer.ggml.".
struct VocabularyDescription {
  std::string model;                     // one of vocabulary_kind.cc's table, such as "gpt2"
  std::string pre;                       // one of pre_tokenizer_table.cc's, such as "qwen2"
  std::vector<std::string> tokens;       // text by id, as the kind writes it
  std::vector<std::int32_t> token_type;  // TokenType by id; empty: all normal
  std::vector<std::string> merges;       // "left right", the most wanted one first
  std::vector<float> scores;             // by id: the more, the more wanted
  std::vector<std::uint8_t> precompiled_charsmap;  // text_normalizer.h; empty: none
  std::optional<std::uint32_t> bos_token_id;
  std::optional<std::uint32_t> eos_token_id;
  std::optional<std::uint32_t> eot_token_id;
  std::optional<std::uint32_t> unknown_token_id;
  std::optional<std::uint32_t> padding_token_id;
  // Unset: as is usual for the kind.
  std::optional<bool> add_bos_token;
  std::optional<bool> add_eos_token;
  std::optional<bool> add_space_prefix;
  std::optional<bool> remove_extra_whitespaces;
};

}  // namespace edgemoe
