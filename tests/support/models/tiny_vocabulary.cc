// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/tiny_vocabulary.h"

#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

constexpr char kChatTemplate[] =
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}";

std::string Utf8(std::uint32_t code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xc0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3f))};
}

// GPT-2's names of bytes: printable ones stand for themselves, the others for U+0100 and on.
std::vector<std::string> ByteTokens() {
  std::vector<std::string> tokens;
  std::uint32_t next = 256;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    tokens.push_back(Utf8(printable ? byte : next++));
  }
  return tokens;
}

// Words of letters in order of length: of each, all but the last letter is the word of one letter
// less, so that its merge joins two tokens.
void AddWords(std::uint32_t count, std::vector<std::string>& tokens,
              std::vector<std::string>& merges) {
  std::vector<std::string> shorter;
  for (char letter = 'A'; letter <= 'Z'; ++letter) shorter.emplace_back(1, letter);
  while (count > 0) {
    std::vector<std::string> words;
    for (const std::string& word : shorter) {
      for (char letter = 'A'; letter <= 'Z' && count > 0; ++letter, --count) {
        words.push_back(word + letter);
        tokens.push_back(words.back());
        merges.push_back(word + " " + letter);
      }
    }
    shorter = std::move(words);
  }
}

}  // namespace

std::vector<GgufEntry> TinyVocabularyKeys(std::string_view pre_tokenizer,
                                          std::uint32_t further_tokens) {
  std::vector<std::string> tokens = ByteTokens();
  std::vector<std::int32_t> types(256, 1);
  for (const char* merged : {"th", "the", "an", "in"}) {
    tokens.emplace_back(merged);
    types.push_back(1);
  }
  for (const char* special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    tokens.emplace_back(special);
    types.push_back(3);
  }
  EDGEMOE_CHECK(tokens.size() == kTinyVocabularySize, "the constants follow the list");
  std::vector<std::string> merges = {"t h", "th e", "a n", "i n"};
  AddWords(further_tokens, tokens, merges);
  types.resize(tokens.size(), 1);
  return {
      {"tokenizer.ggml.model", std::string("gpt2")},
      {"tokenizer.ggml.pre", std::string(pre_tokenizer)},
      {"tokenizer.ggml.tokens", GgufArray::OfStrings(tokens)},
      {"tokenizer.ggml.token_type", GgufArray::OfInt32(types)},
      {"tokenizer.ggml.merges", GgufArray::OfStrings(merges)},
      {"tokenizer.ggml.bos_token_id", std::uint32_t{kTinyEndOfText}},
      {"tokenizer.ggml.eos_token_id", std::uint32_t{kTinyImEnd}},
      {"tokenizer.ggml.add_bos_token", false},
  };
}

GgufEntry TinyTemplateKey() { return {"tokenizer.chat_template", std::string(kChatTemplate)}; }

}  // namespace edgemoe
