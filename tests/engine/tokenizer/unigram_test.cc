// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum Id : std::int32_t { kPad, kEos, kUnknown, kSpace, kA, kB, kAb, kAba, kSpaceA, kUser };

VocabularyDescription SmallVocabulary() {
  VocabularyDescription description;
  description.model = "t5";
  const auto add = [&](const char* text, TokenType type, float score) {
    description.tokens.emplace_back(text);
    description.token_type.push_back(static_cast<std::int32_t>(type));
    description.scores.push_back(score);
  };
  add("<pad>", TokenType::kControl, 0);
  add("</s>", TokenType::kControl, 0);
  add("<unk>", TokenType::kUnknown, 0);
  add("\u2581", TokenType::kNormal, -3);
  add("a", TokenType::kNormal, -4);
  add("b", TokenType::kNormal, -4);
  add("ab", TokenType::kNormal, -5);
  add("aba", TokenType::kNormal, -9.5F);
  add("\u2581a", TokenType::kNormal, -5);
  add("@user", TokenType::kUserDefined, 0);
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

TEST(Unigram, TakesTheHighestSumOfScores) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_THAT(Ids(*tokenizer, "ab"), ElementsAre(kAb));
  EXPECT_THAT(Ids(*tokenizer, "aba"), ElementsAre(kAb, kA));  // -9 against -9.5
  EXPECT_THAT(Ids(*tokenizer, "abab"), ElementsAre(kAb, kAb));
  EXPECT_THAT(Ids(*tokenizer, "b a"), ElementsAre(kB, kSpaceA));
  VocabularyDescription description = SmallVocabulary();
  description.scores[kAba] = -8.5F;
  EXPECT_THAT(Ids(*MakeTokenizer(description), "aba"), ElementsAre(kAba));
}

TEST(Unigram, UnknownCharactersInARowAreOneToken) {
  const auto tokenizer = MakeTokenizer();
  EXPECT_THAT(Ids(*tokenizer, "a\u00e9\u00e8xb"), ElementsAre(kA, kUnknown, kB));
  const auto pieces = tokenizer->Encode("a\u00e9\u00e8xb", {.add_special = false});
  ASSERT_TRUE(pieces);
  EXPECT_EQ((*pieces)[1], (Piece{TokenId{kUnknown}, 1, 6}));
  EXPECT_THAT(Ids(*tokenizer, "x x"), ElementsAre(kUnknown, kSpace, kUnknown));
}

TEST(Unigram, FilesSayWhatIsAdded) {
  VocabularyDescription description = SmallVocabulary();
  EXPECT_THAT(Ids(*MakeTokenizer(description), "a", {}), ElementsAre(kA, kEos));
  description.add_eos_token = false;
  description.add_space_prefix = true;
  const auto tokenizer = MakeTokenizer(description);
  EXPECT_THAT(Ids(*tokenizer, "a", {}), ElementsAre(kSpaceA));
  EXPECT_THAT(Ids(*tokenizer, "a@usera"), ElementsAre(kSpaceA, kUser, kSpaceA));
  EXPECT_EQ(tokenizer->Decode(std::vector<TokenId>{{kSpaceA}, {kSpaceA}}, {}).value_or("?"), "a a");
}

TEST(Unigram, MergedSpacesAreCoveredByThePieceBehindThem) {
  VocabularyDescription description = SmallVocabulary();
  description.remove_extra_whitespaces = true;
  const auto pieces = MakeTokenizer(description)->Encode("  b   a  ", {.add_special = false});
  ASSERT_TRUE(pieces);
  EXPECT_THAT(*pieces, ElementsAre(Piece{TokenId{kSpace}, 2, 2}, Piece{TokenId{kB}, 2, 6},
                                   Piece{TokenId{kSpaceA}, 6, 9}));
  EXPECT_THAT(Ids(*MakeTokenizer(description), "   "), ElementsAre());
}

TEST(Unigram, NeedsAnUnknownToken) {
  VocabularyDescription description = SmallVocabulary();
  description.tokens.resize(2);
  description.token_type.resize(2);
  description.scores.resize(2);
  const auto refused = Tokenizer::Create(description);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("tokenizer.ggml.unknown_token_id: missing"));
}

TEST(Unigram, LongTextsTakeLinearTimeAndAPartIsBounded) {
  const auto tokenizer = MakeTokenizer();
  for (const std::string& part :
       {std::string("ab a"), std::string("a"), std::string(" "), std::string("\u00e9")}) {
    std::string text;
    while (text.size() < 200000) text += part;
    EXPECT_FALSE(Ids(*tokenizer, text).empty()) << part;
  }
  std::string longest;
  while (longest.size() <= kWordBytesMax) longest += "ab";
  EXPECT_THAT(tokenizer->Encode("a " + longest, {}).error().message(),
              HasSubstr("text: found a word of more than 262144 bytes"));
}

}  // namespace
}  // namespace edgemoe
