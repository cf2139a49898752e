// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/words/pre_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace edgemoe {
namespace {

using testing::ElementsAre;

std::vector<std::string> Words(std::string_view pre, std::string_view text) {
  const auto tokenizer = PreTokenizer::Create(pre);
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  PreTokenizer::Words ranges(**tokenizer, text);
  std::vector<std::string> words;
  std::size_t end = 0;
  for (auto range = ranges.Next(); range && *range; range = ranges.Next()) {
    EXPECT_EQ((*range)->begin, end) << "a gap";
    end = (*range)->end;
    words.emplace_back(text.substr((*range)->begin, (*range)->end - (*range)->begin));
  }
  EXPECT_EQ(end, text.size());
  return words;
}

TEST(PreTokenizer, Qwen2) {
  EXPECT_THAT(Words("qwen2", "I'LL see 42 dogs!!\n\n  ok"),
              ElementsAre("I", "'LL", " see", " ", "4", "2", " dogs", "!!\n\n", " ", " ok"));
  EXPECT_THAT(Words("qwen2", "a  \n b   "), ElementsAre("a", "  \n", " b", "   "));
  EXPECT_THAT(Words("qwen2", "(x) \u65e5\u672c"), ElementsAre("(x", ")", " \u65e5\u672c"));
}

TEST(PreTokenizer, Gpt2) {
  EXPECT_THAT(Words("gpt-2", "I'LL it's 42 dogs!!\n\n  ok"),
              ElementsAre("I", "'", "LL", " it", "'s", " 42", " dogs", "!!", "\n\n ", " ok"));
}

TEST(PreTokenizer, DeepSeekLlm) {
  EXPECT_THAT(Words("deepseek-llm", "Hello 42!\n\u6211\u60f3 ok  "),
              ElementsAre("Hello", " ", "42", "!", "\n", "\u6211\u60f3", " ok", "  "));
}

// The third pattern takes an ideographic space for punctuation, with one space before it; the fifth
// then takes it for a letter of East Asia. So one of two spaces before it stands alone.
TEST(PreTokenizer, DeepSeekLlmTakesOneSpaceWithAnIdeographicSpace) {
  EXPECT_THAT(Words("deepseek-llm", "a  \u3000  b"),
              ElementsAre("a", " ", " ", "\u3000", " ", " b"));
  EXPECT_THAT(Words("deepseek-llm", "\u3000x\u3000!"), ElementsAre("\u3000", "x", "\u3000", "!"));
  EXPECT_THAT(Words("deepseek-llm", "a  \u2003  b"), ElementsAre("a", "  ", "\u2003", " ", " b"));
}

TEST(PreTokenizer, OlmoIsGpt2s) {
  EXPECT_THAT(Words("olmo", "I'LL it's 42 dogs!!\n\n  ok"),
              ElementsAre("I", "'", "LL", " it", "'s", " 42", " dogs", "!!", "\n\n ", " ok"));
}

TEST(PreTokenizer, Cl100k) {
  for (const char* pre : {"dbrx", "smaug-bpe"}) {
    EXPECT_THAT(Words(pre, "I'LL see 1234 dogs!!\n"),
                ElementsAre("I", "'LL", " see", " ", "123", "4", " dogs", "!!\n"));
  }
}

TEST(PreTokenizer, O200k) {
  EXPECT_THAT(Words("gpt-4o", "HTTPServer don'T 1234!\n/x"),
              ElementsAre("HTTPServer", " don'T", " ", "123", "4", "!\n/", "x"));
  EXPECT_THAT(Words("gpt-4o", "camelCase iPhone XMLHttp"),
              ElementsAre("camel", "Case", " i", "Phone", " XMLHttp"));
  // Capitals and small letters of any script; marks belong to the letters before them.
  EXPECT_THAT(Words("gpt-4o", "\u041f\u0440\u0438\u041c\u0438\u0440"),
              ElementsAre("\u041f\u0440\u0438", "\u041c\u0438\u0440"));
  EXPECT_THAT(Words("gpt-4o", "e\u0301te\u0301 \u0928\u092e\u0938\u094d\u0924\u0947"),
              ElementsAre("e\u0301te\u0301", " \u0928\u092e\u0938\u094d\u0924\u0947"));
  // A long s is an s to those who ignore case.
  EXPECT_THAT(Words("gpt-4o", "it'\u017f"), ElementsAre("it'\u017f"));
  EXPECT_THAT(Words("gpt-4o", "a  \n b   "), ElementsAre("a", "  \n", " b", "   "));
}

TEST(PreTokenizer, DigitsInThreesFromTheEnd) {
  EXPECT_THAT(Words("superbpe", "see 1234567 or 12, 345"),
              ElementsAre("see ", "1", "234", "567", " or ", "12", ", ", "345"));
  // A number that goes on as a word does is cut from its start.
  EXPECT_THAT(
      Words("cohere2moe", "a  12345. 12345th 12345\u4e2d"),
      ElementsAre("a", "  ", "12", "345", ".", " ", "123", "45", "th", " ", "123", "45", "\u4e2d"));
  EXPECT_THAT(Words("afmoe", "x 12345 \u4e2d\u0e51\u0e52"),
              ElementsAre("x", " ", "12", "345", " ", "\u4e2d", "\u0e51\u0e52"));
}

TEST(PreTokenizer, KimiTakesHanCharactersForWords) {
  EXPECT_THAT(Words("kimi-k2", "ab\u4e2d\u6587cd \u4e2d camelCase it's"),
              ElementsAre("ab", "\u4e2d\u6587", "cd", " ", "\u4e2d", " camel", "Case", " it's"));
}

TEST(PreTokenizer, ExaoneMoeKeepsWordsWithSpacesTogether) {
  EXPECT_THAT(Words("exaone-moe", "one two  three 4"),
              ElementsAre("one two", " ", " three", " ", "4"));
}

TEST(PreTokenizer, DeepSeekV3TakesPunctuationWithTheWordBehindIt) {
  EXPECT_THAT(Words("deepseek-v3", "(abc) 12345 .x"),
              ElementsAre("(abc", ")", " ", "123", "45", " .", "x"));
}

TEST(PreTokenizer, LinesOfGemma4) {
  EXPECT_THAT(Words("gemma4", "a b\n\nc \r\n"), ElementsAre("a b", "\n\n", "c \r", "\n"));
}

// What Unicode calls White_Space, no more: U+180E was taken from it long ago.
TEST(PreTokenizer, SpaceIsUnicodesWhiteSpace) {
  EXPECT_THAT(Words("gpt-2", "a\u3000\u3000b"), ElementsAre("a", "\u3000", "\u3000", "b"));
  EXPECT_THAT(Words("gpt-2", "a\u180e\u180eb"), ElementsAre("a", "\u180e\u180e", "b"));
}

}  // namespace
}  // namespace edgemoe
