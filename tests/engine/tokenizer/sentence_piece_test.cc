// SPDX-License-Identifier: Apache-2.0
//
// SentencePiece's byte-pair encoding and Gemma's BPE of characters, on vocabularies small enough to
// see through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/tokenizer/models/plain_text.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int32_t kByte0 = 3;  // of "<0x00>"

struct Token {
  const char* text;
  TokenType type;
  float score;
};

void Add(const Token& token, VocabularyDescription& description) {
  description.tokens.emplace_back(token.text);
  description.token_type.push_back(static_cast<std::int32_t>(token.type));
  description.scores.push_back(token.score);
}

void AddBytes(VocabularyDescription& description) {
  for (unsigned byte = 0; byte < 256; ++byte)
    Add({ByteTokenText(static_cast<std::uint8_t>(byte)).c_str(), TokenType::kByte, 0}, description);
}

// Ids: 0 to 2 as SentencePiece gives them, 256 bytes, then these.
enum Id : std::int32_t { kSpace = 259, kH, kE, kL, kO, kHe, kLl, kHello, kSpaceHe, kInst, kUser };

VocabularyDescription SmallVocabulary() {
  VocabularyDescription description;
  description.model = "llama";
  Add({"<unk>", TokenType::kUnknown, 0}, description);
  Add({"<s>", TokenType::kControl, 0}, description);
  Add({"</s>", TokenType::kControl, 0}, description);
  AddBytes(description);
  for (const char* text : {"\u2581", "h", "e", "l", "o"})
    Add({text, TokenType::kNormal, -100}, description);
  Add({"he", TokenType::kNormal, -1}, description);
  Add({"ll", TokenType::kNormal, -2}, description);
  Add({"hello", TokenType::kNormal, -9}, description);
  Add({"\u2581he", TokenType::kNormal, -3}, description);
  Add({"[INST]", TokenType::kControl, 0}, description);
  Add({"@user", TokenType::kUserDefined, 0}, description);
  return description;
}

std::unique_ptr<Tokenizer> MakeTokenizer(
    const VocabularyDescription& description = SmallVocabulary()) {
  auto made = Tokenizer::Create(description);
  EXPECT_TRUE(made) << made.error().ToString();
  return *std::move(made);
}

std::vector<std::int32_t> Ids(const Tokenizer& tokenizer, std::string_view text,
                              EncodeOptions options = {.add_special = false,
                                                       .parse_special = false}) {
  const auto pieces = tokenizer.Encode(text, options);
  EXPECT_TRUE(pieces) << pieces.error().ToString();
  std::vector<std::int32_t> ids;
  for (const Piece& piece : pieces.value_or(std::vector<Piece>{})) ids.push_back(piece.token.value);
  return ids;
}

std::string DecodeIds(const Tokenizer& tokenizer, const std::vector<std::int32_t>& ids,
                      DecodeOptions options = {}) {
  std::vector<TokenId> tokens;
  for (const std::int32_t id : ids) tokens.push_back(TokenId{id});
  return tokenizer.Decode(tokens, options).value_or("refused");
}

TEST(SentencePiece, MergesByScoreBehindASpaceThatIsAdded) {
  const auto tokenizer = MakeTokenizer();
  // "he" comes before "\u2581he"; "hell" is no token, so that "hello" is never reached.
  EXPECT_THAT(Ids(*tokenizer, "hello"), ElementsAre(kSpaceHe, kLl, kO));
  EXPECT_THAT(Ids(*tokenizer, "hehe"), ElementsAre(kSpaceHe, kHe));
  EXPECT_THAT(Ids(*tokenizer, " he"), ElementsAre(kSpace, kSpaceHe));
  EXPECT_THAT(Ids(*tokenizer, "o he"), ElementsAre(kSpace, kO, kSpaceHe));
  EXPECT_THAT(Ids(*tokenizer, "lll"), ElementsAre(kSpace, kLl, kL));
  EXPECT_THAT(Ids(*tokenizer, ""), ElementsAre());
}

TEST(SentencePiece, EqualScoresMergeFromTheLeft) {
  VocabularyDescription description = SmallVocabulary();
  description.scores[kLl] = -1;
  Add({"el", TokenType::kNormal, -1}, description);
  // "he" and "ll" and "el" want the same letters.
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xhell"),
              ElementsAre(kSpace, kByte0 + 'x', kHe, kLl));
  EXPECT_THAT(Ids(*MakeTokenizer(description), "xell"),
              ElementsAre(kSpace, kByte0 + 'x', kUser + 1, kL));
}

TEST(SentencePiece, WhatIsInNoTokenBecomesItsBytes) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_THAT(Ids(*tokenizer, "o\u00e9\n"),
              ElementsAre(kSpace, kO, kByte0 + 0xC3, kByte0 + 0xA9, kByte0 + '\n'));
  EXPECT_EQ(DecodeIds(*tokenizer, {kByte0 + 0xC3, kByte0 + 0xA9}), "\u00e9");
}

TEST(SentencePiece, BytesWithoutATokenMakeTheirCharacterUnknown) {
  VocabularyDescription description = SmallVocabulary();
  description.tokens[kByte0 + 0xA9] = "unreachable";
  EXPECT_THAT(Ids(*MakeTokenizer(description), "o\u00e9"), ElementsAre(kSpace, kO, 0));
}

TEST(SentencePiece, EachStretchBetweenSpecialTokensBeginsWithASpace) {
  const auto tokenizer = MakeTokenizer();
  const EncodeOptions parsed{.add_special = true, .parse_special = true};
  EXPECT_THAT(Ids(*tokenizer, "[INST]he</s>he", parsed),
              ElementsAre(1, kInst, kSpaceHe, 2, kSpaceHe));
  EXPECT_THAT(Ids(*tokenizer, "o@userhe"), ElementsAre(kSpace, kO, kUser, kSpaceHe));
  EXPECT_THAT(Ids(*tokenizer, "</s>", parsed), ElementsAre(1, 2));
}

// Merges that lead to a control token's text do not make it of what a user wrote.
TEST(SentencePiece, TextNeverBecomesMarkup) {
  VocabularyDescription description = SmallVocabulary();
  for (const char* text : {"<", "s", ">", "<s", "s>"})
    Add({text, TokenType::kNormal, -1}, description);
  const auto tokenizer = MakeTokenizer(description);
  const std::int32_t less_s = kUser + 4;
  EXPECT_THAT(Ids(*tokenizer, "<s>"), ElementsAre(kSpace, less_s, kUser + 3));
}

TEST(SentencePiece, PiecesTellTheirBytesAndTheAddedSpaceHasNone) {
  const auto pieces = MakeTokenizer()->Encode("o he\u00e9", {});
  ASSERT_TRUE(pieces);
  EXPECT_THAT(*pieces, ElementsAre(Piece{TokenId{1}, 0, 0}, Piece{TokenId{kSpace}, 0, 0},
                                   Piece{TokenId{kO}, 0, 1}, Piece{TokenId{kSpaceHe}, 1, 4},
                                   Piece{TokenId{kByte0 + 0xC3}, 4, 5},
                                   Piece{TokenId{kByte0 + 0xA9}, 5, 6}));
}

TEST(SentencePiece, DecodingDropsTheAddedSpaceOnlyAtTheStart) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_EQ(DecodeIds(*tokenizer, {1, kSpaceHe, kSpaceHe}), "he he");
  EXPECT_EQ(DecodeIds(*tokenizer, {kSpace, kSpaceHe}), " he");
  EXPECT_EQ(DecodeIds(*tokenizer, {kSpaceHe, kO}, {.from_start = false}), " heo");
  EXPECT_EQ(DecodeIds(*tokenizer, {kO, kSpaceHe}), "o he");
  EXPECT_EQ(DecodeIds(*tokenizer, {1, kSpaceHe}, {.render_special = true}), "<s> he");
  // A token by itself keeps its space: what streams are made of.
  EXPECT_EQ(tokenizer->TokenBytes(TokenId{kSpaceHe}), " he");
}

TEST(SentencePiece, FilesSayWhatIsAdded) {
  VocabularyDescription description = SmallVocabulary();
  EXPECT_THAT(Ids(*MakeTokenizer(description), "o", {}), ElementsAre(1, kSpace, kO));
  description.add_bos_token = false;
  description.add_eos_token = true;
  description.add_space_prefix = false;
  const auto tokenizer = MakeTokenizer(description);
  EXPECT_THAT(Ids(*tokenizer, "o", {}), ElementsAre(kO, 2));
  EXPECT_EQ(DecodeIds(*tokenizer, {kSpaceHe}), " he");
}

TEST(SentencePiece, KnowsTheUsualIds) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_EQ(tokenizer->bos(), TokenId{1});
  EXPECT_EQ(tokenizer->eos(), TokenId{2});
  EXPECT_TRUE(tokenizer->IsEndOfGeneration(TokenId{2}));
  VocabularyDescription description = SmallVocabulary();
  description.bos_token_id = kInst;
  EXPECT_EQ(MakeTokenizer(description)->bos(), TokenId{kInst});
}

TEST(SentencePiece, BadScoresAreRefused) {
  VocabularyDescription description = SmallVocabulary();
  description.scores[5] = std::nanf("");
  auto refused = Tokenizer::Create(description);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("tokenizer.ggml.scores[5]: found nan; accepted: finite numbers"));
  description.scores.pop_back();
  refused = Tokenizer::Create(description);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("tokenizer.ggml.scores: found 269 scores"));
}

TEST(SentencePiece, AWordThatNothingCutsIsBounded) {
  VocabularyDescription description = SmallVocabulary();
  Add({"lll", TokenType::kNormal, -1}, description);
  const auto tokenizer = MakeTokenizer(description);
  EXPECT_TRUE(tokenizer->Encode(std::string(kWordBytesMax - 1, 'l'), {}));
  EXPECT_EQ(tokenizer->Encode("o " + std::string(kWordBytesMax + 1, 'l'), {}).error().message(),
            "text: found a word of more than 262144 bytes from byte 2 on; accepted: shorter ones");
  // No merge leads from one o to the next.
  EXPECT_EQ(Ids(*tokenizer, std::string(kWordBytesMax * 2, 'o')).size(), kWordBytesMax * 2 + 1);
}

TEST(SentencePiece, LongTextsTakeLinearTime) {
  const auto tokenizer = MakeTokenizer();
  for (const std::string& part : {std::string("hello "), std::string("hello"), std::string("l"),
                                  std::string(" "), std::string("\u00e9"), std::string("\n")}) {
    std::string text;
    while (text.size() < 200000) text += part;
    EXPECT_TRUE(DecodeIds(*tokenizer, Ids(*tokenizer, text)) == text) << part;
  }
}

TEST(SentencePiece, TokensComeSomeAtATimeAsTheyComeAtOnce) {
  const auto tokenizer = MakeTokenizer();
  const std::string text = "hello [INST] \u00e9 he@user o";
  const EncodeOptions options = {.add_special = true, .parse_special = true};
  const auto whole = tokenizer->Encode(text, options);
  ASSERT_TRUE(whole);
  auto encoding = tokenizer->Start(text, options);
  ASSERT_TRUE(encoding);
  std::vector<Piece> pieces;
  for (std::size_t before = 1; pieces.size() != before;) {
    before = pieces.size();
    ASSERT_TRUE(encoding->Next(1, pieces).ok());
  }
  EXPECT_EQ(pieces, *whole);
}

// ---- Gemma 4: a list of merges, over characters ----

VocabularyDescription GemmaVocabulary() {
  VocabularyDescription description = SmallVocabulary();
  description.model = "gemma4";
  description.scores.clear();
  description.bos_token_id = 1;
  description.eos_token_id = 2;
  description.merges = {"h e", "l l", "\u2581 he", "e l"};
  for (const char* text : {"\n", "\n\n", "el"}) Add({text, TokenType::kNormal, 0}, description);
  description.scores.clear();
  return description;
}
enum GemmaId : std::int32_t { kNewline = kUser + 1, kTwoNewlines, kEl };

TEST(Gemma4, MergesByTheListAndAddsNoSpace) {
  const auto tokenizer = MakeTokenizer(GemmaVocabulary());
  EXPECT_THAT(Ids(*tokenizer, "hello he"), ElementsAre(kHe, kLl, kO, kSpaceHe));
  EXPECT_THAT(Ids(*tokenizer, "ell"), ElementsAre(kE, kLl));
  EXPECT_EQ(DecodeIds(*tokenizer, {kSpaceHe, kO}), " heo");
}

TEST(Gemma4, RunsOfNewlinesAreTokensWithoutMerges) {
  const auto tokenizer = MakeTokenizer(GemmaVocabulary());
  EXPECT_THAT(Ids(*tokenizer, "o\n\no\n"), ElementsAre(kO, kTwoNewlines, kO, kNewline));
  EXPECT_THAT(Ids(*tokenizer, "\n\n\n"), ElementsAre(kNewline, kNewline, kNewline));
}

TEST(Gemma4, AlwaysBeginsWithBos) {
  VocabularyDescription description = GemmaVocabulary();
  description.add_bos_token = false;
  EXPECT_THAT(Ids(*MakeTokenizer(description), "o", {}), ElementsAre(1, kO));
  description.bos_token_id.reset();
  EXPECT_THAT(Tokenizer::Create(description).error().message(),
              HasSubstr("tokenizer.ggml.bos_token_id: missing"));
}

TEST(Gemma4, KnowsItsEndsAndLeavesHtmlAlone) {
  VocabularyDescription description = GemmaVocabulary();
  description.eos_token_id = kInst;
  description.tokens[0] = "<|tool_response>";
  description.token_type[0] = static_cast<std::int32_t>(TokenType::kControl);
  const auto tokenizer = MakeTokenizer(description);
  EXPECT_THAT(tokenizer->end_of_generation(), ElementsAre(TokenId{0}, TokenId{kInst}));
}

}  // namespace
}  // namespace edgemoe
