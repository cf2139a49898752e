// SPDX-License-Identifier: Apache-2.0
//
// Every pre-tokenizer, on texts that try to mislead it and on texts drawn at random: the ids are
// those of llama-tokenize (build 11669) and, where llama.cpp only comes near an expression, of
// OpenAI's tiktoken (npm, 1.0.22) with the original one, on a small vocabulary that merges over
// nearly every border between words. Made by record_pre_tokenizers.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/tokenizer/models/byte_alphabet.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tokenizer/words/pre_tokenizer.h"
#include "tests/engine/tokenizer/golden.h"

namespace edgemoe {
namespace {

using Json = nlohmann::json;

const Json& Golden() {
  static const Json golden = ReadGolden("pre_tokenizer_golden.json");
  return golden;
}

// Ids as the recorder gave them: bytes, what the merges make, words that no merge makes, control
// tokens, user-defined ones.
VocabularyDescription Vocabulary(const std::string& pre, bool with_whole_words) {
  VocabularyDescription description;
  description.model = "gpt2";
  description.pre = pre;
  std::set<std::string> known;
  const auto add = [&](const std::string& token, TokenType type) {
    if (!known.insert(token).second) return;
    description.tokens.push_back(token);
    description.token_type.push_back(static_cast<std::int32_t>(type));
  };
  for (unsigned byte = 0; byte < 256; ++byte) {
    add(ByteToAlphabet(static_cast<std::uint8_t>(byte)), TokenType::kNormal);
  }
  for (const Json& merge : Golden()["merges"]) {
    description.merges.push_back(merge);
    std::string token = merge;
    token.erase(token.find(' '), 1);
    add(token, TokenType::kNormal);
  }
  if (with_whole_words)
    for (const Json& token : Golden()["whole"]) add(token, TokenType::kNormal);
  for (const Json& token : Golden()["control"]) {
    if (token == "<|endoftext|>") description.bos_token_id = description.tokens.size();
    add(token, TokenType::kControl);
  }
  if (pre == "olmo") {
    for (const Json& token : Golden()["user_defined"]) add(token, TokenType::kUserDefined);
  }
  return description;
}

// The texts of the groups for which `tokenizer` gives other ids than those recorded.
std::vector<std::string> Differing(const Tokenizer& tokenizer, const Json& hashes,
                                   const std::set<std::string>& groups, EncodeOptions options) {
  std::vector<std::string> differing;
  std::size_t index = 0;
  for (const std::string group : kTextGroups) {
    for (const std::string text : Golden()[group]) {
      const auto pieces = tokenizer.Encode(text, options);
      EXPECT_TRUE(pieces) << pieces.error().ToString();
      const std::string recorded = hashes[index++];
      if (groups.contains(group) && ShortHash(*pieces) != recorded) differing.push_back(text);
    }
  }
  EXPECT_EQ(index, hashes.size());
  return differing;
}

const std::set<std::string> kAllGroups(std::begin(kTextGroups), std::end(kTextGroups));

std::vector<std::string> DifferFromLlama(const std::string& pre,
                                         const std::set<std::string>& groups = kAllGroups) {
  const auto tokenizer = Tokenizer::Create(Vocabulary(pre, true));
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  for (const Json& recorded : Golden()["llama"]) {
    const Json& names = recorded["names"];
    if (std::find(names.begin(), names.end(), pre) == names.end()) continue;
    return Differing(**tokenizer, recorded["hashes"], groups,
                     {.add_special = true, .parse_special = true});
  }
  return {"nothing is recorded for " + pre};
}

std::vector<std::string> DifferFromOriginal(const std::string& pre, const std::string& original) {
  const auto tokenizer = Tokenizer::Create(Vocabulary(pre, false));
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  return Differing(**tokenizer, Golden()["tiktoken"][original], kAllGroups,
                   {.add_special = false, .parse_special = true});
}

using TextList = std::vector<std::string>;

// llama.cpp comes near the originals here, and is the same on plain texts.
const std::set<std::string> kNearlyLlamas = {
    "gpt-4o",  "llama4",   "kanana2",    "talkie",   "minimax-m2", "tekken",
    "kimi-k2", "tiny_aya", "cohere2moe", "superbpe", "youtu",
};
// Here but for spaces from U+1680 on.
const std::set<std::string> kButForWideSpaces = {"deepseek-llm", "deepseek-coder"};

TEST(PreTokenizerGolden, IsLlamas) {
  std::size_t count = 0;
  for (const Json& recorded : Golden()["llama"]) {
    for (const std::string name : recorded["names"]) {
      if (kNearlyLlamas.contains(name) || kButForWideSpaces.contains(name)) continue;
      EXPECT_EQ(DifferFromLlama(name), TextList{}) << name;
      ++count;
    }
  }
  EXPECT_GT(count, 50U);
}

TEST(PreTokenizerGolden, IsLlamasOnPlainTexts) {
  for (const std::string& name : kNearlyLlamas) {
    EXPECT_EQ(DifferFromLlama(name, {"plain"}), TextList{}) << name;
    EXPECT_NE(DifferFromLlama(name), TextList{}) << name << " could be compared on all texts";
  }
}

TEST(PreTokenizerGolden, IsLlamasButForWideSpaces) {
  for (const std::string& name : kButForWideSpaces)
    EXPECT_EQ(DifferFromLlama(name),
              (TextList{"a \u3000b\u3000\u3000c", "a\u00a0b\u2003c \u2028d"}))
        << name;
}

TEST(PreTokenizerGolden, IsTiktokensWithTheOriginalExpression) {
  for (const char* name : {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"})
    EXPECT_EQ(DifferFromOriginal(name, "gpt-4o"), TextList{}) << name;
  EXPECT_EQ(DifferFromOriginal("tekken", "tekken"), TextList{});
  EXPECT_EQ(DifferFromOriginal("kimi-k2", "kimi-k2"), TextList{});
}

// What differs, of the written texts: case is ignored beyond ASCII, marks belong to letters, and so
// do capitals of any script.
TEST(PreTokenizerGolden, O200kIsLlamasWhereCaseAndMarksPlayNoPart) {
  EXPECT_EQ(DifferFromLlama("gpt-4o", {"written"}),
            (TextList{"it'\u017f", "e\u0301te\u0301 E\u0301TE\u0301 n\u0303",
                      "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
                      "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
                      "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
                      "mixed \u4e2d\u6587and\u0420\u0443\u0441\u0441\u043a\u0438\u0439AND"
                      "\u65e5\u672c\u8a9e"}));
}

// Whoever teaches the engine another name records it, too.
TEST(PreTokenizerGolden, HoldsEveryNameThatTheEngineKnows) {
  const auto refused = PreTokenizer::Create("?");
  ASSERT_FALSE(refused);
  std::set<std::string> recorded = {"gemma4", "sarvam-moe"};  // models_golden_test.cc
  for (const Json& one : Golden()["llama"])
    for (const std::string name : one["names"]) recorded.insert(name);
  std::set<std::string> known;
  const std::string message = refused.error().message();
  for (std::size_t at = message.find("one of");
       (at = message.find('"', at)) != std::string::npos;) {
    const std::size_t end = message.find('"', at + 1);
    known.insert(message.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  EXPECT_EQ(known, recorded);
}

}  // namespace
}  // namespace edgemoe
