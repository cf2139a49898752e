// SPDX-License-Identifier: Apache-2.0
//
// SentencePiece, Unigram and BPE of characters give llama-tokenize's ids (build 11669) with small
// vocabularies, on the texts of pre_tokenizer_golden.json and on some of their own. Made by
// record_models.py.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/tokenizer/tokenizer.h"
#include "tests/engine/tokenizer/golden.h"

namespace edgemoe {
namespace {

using Json = nlohmann::json;

VocabularyDescription DescribeFile(const Json& vocabulary, const Json& keys) {
  VocabularyDescription description;
  vocabulary["tokens"].get_to(description.tokens);
  vocabulary["types"].get_to(description.token_type);
  vocabulary["scores"].get_to(description.scores);
  vocabulary["merges"].get_to(description.merges);
  vocabulary["charsmap"].get_to(description.precompiled_charsmap);
  description.model = keys["model"];
  description.pre = keys.value("pre", "");
  const auto read = [&keys](const char* name, auto& out) {
    using Value = typename std::remove_reference_t<decltype(out)>::value_type;
    if (keys.contains(name)) out = keys[name].get<Value>();
  };
  read("bos_token_id", description.bos_token_id);
  read("eos_token_id", description.eos_token_id);
  read("unknown_token_id", description.unknown_token_id);
  read("add_bos_token", description.add_bos_token);
  read("add_eos_token", description.add_eos_token);
  read("add_space_prefix", description.add_space_prefix);
  read("remove_extra_whitespaces", description.remove_extra_whitespaces);
  return description;
}

std::vector<std::string> AllTexts(const Json& golden) {
  const Json shared = ReadGolden("pre_tokenizer_golden.json");
  std::vector<std::string> texts;
  for (const char* group : kTextGroups)
    for (const std::string text : shared[group]) texts.push_back(text);
  for (const std::string text : golden["further"]) texts.push_back(text);
  return texts;
}

void ExpectRecorded(const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                    const Json& hashes, bool parse_special) {
  ASSERT_EQ(texts.size(), hashes.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    // llama-tokenize adds nothing where it adds no BOS.
    const auto pieces = tokenizer.Encode(
        texts[i],
        {.add_special = parse_special && tokenizer.adds_bos(), .parse_special = parse_special});
    ASSERT_TRUE(pieces) << pieces.error().ToString();
    EXPECT_EQ(ShortHash(*pieces), hashes[i].get<std::string>()) << texts[i];
  }
}

TEST(ModelsGolden, GiveTheRecordedIds) {
  const Json golden = ReadGolden("models_golden.json");
  const std::vector<std::string> texts = AllTexts(golden);
  std::size_t count = 0;
  for (const Json& vocabulary : golden["vocabularies"]) {
    for (const Json& file : vocabulary["files"]) {
      SCOPED_TRACE(file["keys"].dump());
      const auto tokenizer = Tokenizer::Create(DescribeFile(vocabulary, file["keys"]));
      ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
      ExpectRecorded(**tokenizer, texts, file["parsed"], true);
      ExpectRecorded(**tokenizer, texts, file["unparsed"], false);
      ++count;
    }
  }
  EXPECT_EQ(count, 8U);
}

// Decoding gives the text back, where nothing was replaced: SentencePiece and BPE of characters.
TEST(ModelsGolden, DecodingIsTheInverse) {
  const Json golden = ReadGolden("models_golden.json");
  const std::vector<std::string> texts = AllTexts(golden);
  for (const Json& vocabulary : golden["vocabularies"]) {
    if (!vocabulary["charsmap"].empty()) continue;
    for (const Json& file : vocabulary["files"]) {
      SCOPED_TRACE(file["keys"].dump());
      const auto tokenizer = Tokenizer::Create(DescribeFile(vocabulary, file["keys"]));
      ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
      for (const std::string& text : texts) {
        // U+2581 is taken for a space; behind a user-defined token another space is added.
        if (text.find("\u2581") != std::string::npos || text.find("<sep>") != std::string::npos ||
            text.find("<code>") != std::string::npos || text.find("  ") != std::string::npos)
          continue;
        const auto pieces =
            (*tokenizer)->Encode(text, {.add_special = false, .parse_special = false});
        ASSERT_TRUE(pieces) << pieces.error().ToString();
        std::vector<TokenId> tokens;
        for (const Piece& piece : *pieces) tokens.push_back(piece.token);
        EXPECT_EQ((*tokenizer)->Decode(tokens, {}).value_or("?"), text);
      }
    }
  }
}

}  // namespace
}  // namespace edgemoe
