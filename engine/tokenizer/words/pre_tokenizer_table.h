// SPDX-License-Identifier: Apache-2.0
//
// The names that tokenizer.ggml.pre may have, and what each stands for. A further name is a row of
// the table in pre_tokenizer_table.cc, and nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/base/result.h"

namespace edgemoe {

struct PreTokenizerKind {
  enum class AddsBos : std::uint8_t {
    kIfFileSays,
    kUnlessFileDenies,  // and if the vocabulary has a BOS
    kAlways,
  };
  // Words that are a token become that token, whatever the merges would make of them.
  enum class WholeWords : std::uint8_t { kNone, kNewlines, kAll };

  std::string_view pre;
  // PCRE2; each splits what the ones before it have left.
  std::span<const char* const> patterns;
  AddsBos adds_bos = AddsBos::kIfFileSays;
  WholeWords whole_words = WholeWords::kNone;
  // Tokens are written in UTF-8 with U+2581 for a space, and merging begins with characters, not
  // with bytes in the byte alphabet.
  bool is_plain_text = false;
};

// UNIMPLEMENTED names those that are known. The result lives forever.
Result<const PreTokenizerKind*> FindPreTokenizer(std::string_view pre);

}  // namespace edgemoe
