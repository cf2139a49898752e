// SPDX-License-Identifier: Apache-2.0
//
// The vocabulary of the tests' models. Byte-level BPE: token b is byte b, then four merges ("th",
// "the", "an", "in"), then the special tokens below.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf_reader.h"

namespace edgemoe {

constexpr std::int32_t kTinyEndOfText = 260;  // "<|endoftext|>"
constexpr std::int32_t kTinyImStart = 261;    // "<|im_start|>"
constexpr std::int32_t kTinyImEnd = 262;      // "<|im_end|>", the end-of-sequence token
constexpr std::uint32_t kTinyVocabularySize = 263;

// The keys tokenizer.ggml.*. `pre_tokenizer`: "qwen2", "olmo", "gpt-4o". `further_tokens`: words of
// two to four letters behind the others, each with its merge, as many as real vocabularies have.
std::vector<GgufEntry> TinyVocabularyKeys(std::string_view pre_tokenizer,
                                          std::uint32_t further_tokens = 0);
// tokenizer.chat_template: ChatML.
GgufEntry TinyTemplateKey();

}  // namespace edgemoe
