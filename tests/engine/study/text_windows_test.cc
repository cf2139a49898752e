// SPDX-License-Identifier: Apache-2.0
#include "engine/study/text_windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/load/model_header.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

std::unique_ptr<Tokenizer> TinyTokenizer(bool adds_bos) {
  const std::vector<std::byte> file = TinyModelBytes({});
  VocabularyDescription description = *ReadVocabulary(*ParseGguf(file, file.size()));
  description.add_bos_token = adds_bos;
  description.bos_token_id = kTinyImStart;
  return *Tokenizer::Create(description);
}

std::vector<std::int32_t> Ids(std::span<const TokenId> tokens) {
  std::vector<std::int32_t> ids;
  for (const TokenId token : tokens) ids.push_back(token.value);
  return ids;
}

TEST(CutWindowsTest, LeavesOutWhatFillsNoWindow) {
  const auto tokenizer = TinyTokenizer(false);
  const TextWindows windows = *CutWindows(*tokenizer, "abcdefghijk", 4, 0);
  ASSERT_EQ(windows.count(), 2U);
  EXPECT_EQ(Ids(windows.of(0)), (std::vector<std::int32_t>{'a', 'b', 'c', 'd'}));
  EXPECT_EQ(Ids(windows.of(1)), (std::vector<std::int32_t>{'e', 'f', 'g', 'h'}));
  EXPECT_EQ(CutWindows(*tokenizer, "abcdefghijk", 4, 1)->count(), 1U);
}

TEST(CutWindowsTest, EachWindowBeginsWithTheBosThatTheVocabularyAdds) {
  const auto tokenizer = TinyTokenizer(true);
  const TextWindows windows = *CutWindows(*tokenizer, "abcdefghijk", 4, 0);
  ASSERT_EQ(windows.count(), 3U);
  EXPECT_EQ(Ids(windows.of(0)), (std::vector<std::int32_t>{kTinyImStart, 'a', 'b', 'c'}));
  EXPECT_EQ(Ids(windows.of(1)), (std::vector<std::int32_t>{kTinyImStart, 'e', 'f', 'g'}));
  EXPECT_EQ(Ids(windows.of(2)), (std::vector<std::int32_t>{kTinyImStart, 'i', 'j', 'k'}));
}

TEST(CutWindowsTest, RefusesWhatGivesNoWindow) {
  const auto tokenizer = TinyTokenizer(false);
  const auto complaint = [&](std::string_view text, std::uint32_t context_tokens) {
    const auto windows = CutWindows(*tokenizer, text, context_tokens, 0);
    EXPECT_FALSE(windows);
    return windows ? std::string() : windows.error().ToString();
  };
  EXPECT_THAT(complaint("", 8), HasSubstr("found 0 tokens"));
  EXPECT_THAT(complaint("abc", 8), HasSubstr("found 3 tokens; accepted: at least 8"));
  EXPECT_THAT(complaint("abc", 3), HasSubstr("context_tokens: found 3; accepted: at least 4"));
  EXPECT_THAT(complaint("abc\xff"
                        "defgh",
                        4),
              HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace edgemoe
