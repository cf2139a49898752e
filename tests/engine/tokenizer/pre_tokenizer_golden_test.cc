// SPDX-License-Identifier: Apache-2.0
//
// Every pre-tokenizer, on texts that try to mislead it and on texts drawn at random: the ids are
// those of llama-tokenize (build 11669) and, for o200k, of OpenAI's tiktoken (npm, 1.0.22), on a
// small vocabulary that merges over nearly every border between words. Made by
// record_pre_tokenizers.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/tokenizer/models/byte_alphabet.h"
#include "engine/tokenizer/words/pre_tokenizer.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {
namespace {

using Json = nlohmann::json;

const Json& Golden() {
  static const Json golden = [] {
    std::ifstream file(std::string(EDGEMOE_SOURCE_DIR) +
                       "/tests/engine/tokenizer/pre_tokenizer_golden.json");
    return Json::parse(file);
  }();
  return golden;
}

// Ids as the recorder gave them: bytes, what the merges make, control tokens, user-defined ones.
VocabularyDescription Vocabulary(const std::string& pre) {
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
  for (const Json& token : Golden()["control"]) {
    if (token == "<|endoftext|>") description.bos_token_id = description.tokens.size();
    add(token, TokenType::kControl);
  }
  if (pre == "olmo") {
    for (const Json& token : Golden()["user_defined"]) add(token, TokenType::kUserDefined);
  }
  return description;
}

// The texts for which `pre` gives other ids than those recorded.
std::vector<std::string> Differing(const std::string& pre, const Json& texts, const Json& ids) {
  std::vector<std::string> differing;
  const auto tokenizer = Tokenizer::Create(Vocabulary(pre));
  EXPECT_TRUE(tokenizer) << tokenizer.error().ToString();
  EXPECT_EQ(texts.size(), ids.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string text = texts[i];
    const auto pieces = (*tokenizer)->Encode(text, {.add_special = true, .parse_special = true});
    EXPECT_TRUE(pieces) << pieces.error().ToString();
    std::vector<std::int32_t> found;
    for (const Piece& piece : *pieces) found.push_back(piece.token.value);
    if (found != ids[i].get<std::vector<std::int32_t>>()) differing.push_back(text);
  }
  return differing;
}

std::vector<std::string> TextsThatDiffer(const std::string& pre, const std::string& recorded) {
  return Differing(pre, Golden()["texts"], Golden()["ids"][recorded]);
}

using Texts = std::vector<std::string>;

class LlamasIds : public testing::TestWithParam<const char*> {};
TEST_P(LlamasIds, OnWrittenTexts) { EXPECT_EQ(TextsThatDiffer(GetParam(), GetParam()), Texts{}); }
INSTANTIATE_TEST_SUITE_P(PreTokenizerGolden, LlamasIds,
                         testing::Values("qwen2", "gpt-2", "olmo", "dbrx", "smaug-bpe", "glm4"));

class DrawnTexts : public testing::TestWithParam<const char*> {};
TEST_P(DrawnTexts, GiveTheRecordedIds) {
  const Json& texts = Golden()["mixed"];
  EXPECT_GE(texts.size(), 32U);
  EXPECT_EQ(Differing(GetParam(), texts, Golden()["mixed_ids"][GetParam()]), Texts{});
}
INSTANTIATE_TEST_SUITE_P(PreTokenizerGolden, DrawnTexts,
                         testing::Values("qwen2", "gpt-2", "olmo", "gpt-4o", "dbrx", "smaug-bpe",
                                         "glm4", "deepseek-llm"));

// Whoever teaches the engine another name records it, too.
TEST(PreTokenizerGolden, HoldsEveryNameThatTheEngineKnows) {
  const auto refused = PreTokenizer::Create("?");
  ASSERT_FALSE(refused);
  std::string names;
  for (const auto& [name, ids] : Golden()["mixed_ids"].items())
    names += (names.empty() ? "\"" : "|\"") + name + "\"";
  EXPECT_THAT(refused.error().message(),
              testing::ContainsRegex("one of ((" + names + "),? ){" +
                                     std::to_string(Golden()["mixed_ids"].size()) + "}would be"));
}

// llama.cpp takes all spaces for plain ones here; two patterns have those from U+1680 on, too.
TEST(PreTokenizerGolden, DeepSeekLlmIsLlamasButForWideSpaces) {
  EXPECT_EQ(TextsThatDiffer("deepseek-llm", "deepseek-llm"),
            (Texts{"a \u3000b\u3000\u3000c", "a\u00a0b\u2003c \u2028d"}));
}

TEST(PreTokenizerGolden, O200kIsTiktokensAndLlamasWhereTheyAgree) {
  EXPECT_EQ(TextsThatDiffer("gpt-4o", "tiktoken"), Texts{});
  // Case is ignored beyond ASCII, marks belong to letters, and so do capitals of any script.
  EXPECT_EQ(TextsThatDiffer("gpt-4o", "gpt-4o"),
            (Texts{"it'\u017f", "e\u0301te\u0301 E\u0301TE\u0301 n\u0303",
                   "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
                   "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23\u0e31\u0e1a",
                   "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
                   "mixed \u4e2d\u6587and\u0420\u0443\u0441\u0441\u043a\u0438\u0439AND"
                   "\u65e5\u672c\u8a9e"}));
}

}  // namespace
}  // namespace edgemoe
