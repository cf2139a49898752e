// SPDX-License-Identifier: Apache-2.0
//
// Any vocabulary and any text: refused, or encoded into pieces that cover the text in order. With
// the vocabulary of all bytes decoding gives the text back, and a stream of its tokens too.
//
// Input: a byte of options, whose highest two bits tell the kind of vocabulary; lines of the
// vocabulary up to an empty line, each of a kind ('m' merge, 't' and a digit for a token of that
// type, 'p' the pre-tokenizer's name, 'c' hexadecimal digits of the charsmap); the text.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/models/byte_alphabet.h"
#include "engine/tokenizer/models/plain_text.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/utf8_stream.h"

namespace edgemoe {
namespace {

constexpr const char* kPres[] = {"qwen2", "gpt-2", "deepseek-llm", "unknown",
                                 "olmo",  "dbrx",  "gpt-4o",       "smaug-bpe"};

constexpr const char* kModels[] = {"gpt2", "llama", "t5", "gemma4"};

void ReadOptions(std::uint8_t options, VocabularyDescription& description) {
  description.model = kModels[options >> 6];
  description.add_bos_token = (options & 4) != 0;
  if ((options & 8) != 0) description.bos_token_id = options;
  if (options >> 6 == 0) {
    description.pre = kPres[(options & 3) + (options >> 5 & 1) * 4];
  } else {
    description.remove_extra_whitespaces = (options & 1) != 0;
    description.add_eos_token = (options & 2) != 0;
    description.add_space_prefix = (options & 32) != 0;
  }
  if ((options & 16) != 0) return;
  for (unsigned value = 0; value < 256; ++value) {
    const auto byte = static_cast<std::uint8_t>(value);
    description.tokens.push_back(options >> 6 == 0 ? ByteToAlphabet(byte) : ByteTokenText(byte));
    description.token_type.push_back(options >> 6 == 0 ? 1 : 6);
  }
}

std::vector<std::uint8_t> ReadHex(std::string_view digits) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(&digits[i], &digits[i] + 2, byte, 16);
    bytes.push_back(byte);
  }
  return bytes;
}

VocabularyDescription ReadVocabulary(std::uint8_t options, std::string_view& rest) {
  VocabularyDescription description;
  ReadOptions(options, description);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty()) break;
    if (line[0] == 'm') {
      description.merges.emplace_back(line.substr(1));
    } else if (line[0] == 'p') {
      description.pre = line.substr(1);
    } else if (line[0] == 'c') {
      description.precompiled_charsmap = ReadHex(line.substr(1));
    } else if (line.size() >= 2) {
      description.tokens.emplace_back(line.substr(2));
      description.token_type.push_back(line[1] - '0');
    }
  }
  // Scores rise and fall, and some are equal.
  for (std::size_t id = 0; id < description.tokens.size(); ++id)
    description.scores.push_back(-static_cast<float>(id * 7 % 11));
  return description;
}

void CheckPieces(const Tokenizer& tokenizer, std::string_view text,
                 const std::vector<Piece>& pieces, bool has_all_bytes, bool drops_characters) {
  std::size_t end = 0;
  std::vector<TokenId> tokens;
  Utf8Stream stream;
  std::string streamed;
  for (const Piece& piece : pieces) {
    EDGEMOE_CHECK(piece.byte_begin >= end && piece.byte_end >= piece.byte_begin, "in order");
    EDGEMOE_CHECK(piece.byte_begin == end || drops_characters, "no gaps");
    EDGEMOE_CHECK(tokenizer.Contains(piece.token), "tokens of the vocabulary");
    end = piece.byte_end;
    tokens.push_back(piece.token);
    streamed += stream.Push(tokenizer.TokenBytes(piece.token));
    EDGEMOE_CHECK(FindInvalidUtf8(streamed) == std::string::npos, "whole characters only");
  }
  streamed += stream.Flush();
  EDGEMOE_CHECK(end == text.size() || (drops_characters && end < text.size()), "the whole text");
  const auto decoded = tokenizer.Decode(tokens, {.render_special = true});
  EDGEMOE_CHECK(decoded.has_value(), "own tokens decode");
  if (!has_all_bytes) return;
  EDGEMOE_CHECK(*decoded == text, "decoding is the inverse");
  // The space that was added is only left out at the start.
  EDGEMOE_CHECK(streamed == text || streamed == " " + std::string(text), "also of a stream");
}

}  // namespace
}  // namespace edgemoe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace edgemoe;
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  VocabularyDescription description = ReadVocabulary(data[0], text);
  // Odd tokens, such as a second one with a byte's text and another type, decode to other bytes.
  const bool is_unigram = description.model == "t5";
  const bool is_plain = (data[0] & 16) == 0 && description.tokens.size() == 256 && !is_unigram;
  const auto tokenizer = Tokenizer::Create(description);
  if (!tokenizer) return 0;
  for (const bool parse_special : {false, true}) {
    const auto pieces =
        (*tokenizer)->Encode(text, {.add_special = false, .parse_special = parse_special});
    if (pieces) {
      CheckPieces(**tokenizer, text, *pieces, is_plain, is_unigram);
    } else if (is_plain) {
      EDGEMOE_CHECK(FindInvalidUtf8(text) != std::string_view::npos, "only bad UTF-8 is refused");
    }
  }
  (void)(*tokenizer)->Encode(text, {.add_special = true, .parse_special = true});
  return 0;
}
