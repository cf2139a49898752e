// SPDX-License-Identifier: Apache-2.0
//
// The seam between a text and the kinds of vocabularies: how what stands between two special tokens
// becomes tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/tokenizer/words/text_range.h"

namespace edgemoe {

// A token and the bytes of the input that it stands for. An added BOS or EOS stands for none, and
// so does a space that the vocabulary adds.
struct Piece {
  TokenId token;
  std::uint32_t byte_begin = 0;
  std::uint32_t byte_end = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

// The pieces of one stretch of a text, some at a time. Thread-compatible.
class StretchPieces {
 public:
  virtual ~StretchPieces() = default;
  // Appends at least one piece, those of one word as a rule; none at the end of the stretch.
  // Pieces are in order and end where the next one begins, but for characters that the vocabulary
  // drops. INVALID_ARGUMENT for a word of more than kWordBytesMax and for a byte that the
  // vocabulary has no token for; RESOURCE_EXHAUSTED as PreTokenizer::Words.
  virtual Status Next(std::vector<Piece>& pieces) = 0;
};

// Immutable and thread-safe.
class TextModel {
 public:
  virtual ~TextModel() = default;
  // `stretch` of `text`, which is valid UTF-8: what lies between two special tokens, or an end of
  // the text and one. Text and model outlive the result.
  virtual std::unique_ptr<StretchPieces> Start(std::string_view text, TextRange stretch) const = 0;
};

}  // namespace edgemoe
