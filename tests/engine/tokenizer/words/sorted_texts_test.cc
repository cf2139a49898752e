// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/words/sorted_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace edgemoe {
namespace {

using testing::ElementsAre;

// The texts that begin `text`, in the order in which a walk finds them.
std::vector<std::string> Beginnings(const SortedTexts& texts, std::string_view text) {
  std::vector<std::string> found;
  SortedTexts::Walk walk(texts);
  EXPECT_FALSE(walk.Here());
  for (const char byte : text) {
    if (!walk.Step(static_cast<unsigned char>(byte))) break;
    if (const auto here = walk.Here()) found.emplace_back(texts.Text(*here));
  }
  return found;
}

TEST(SortedTexts, WalksAlongThoseThatBeginAText) {
  const SortedTexts texts({"a", "ab", "abcd", "ac", "b\xff", "\xc3\xa9", "\xff\xff"});
  EXPECT_THAT(Beginnings(texts, "abcde"), ElementsAre("a", "ab", "abcd"));
  EXPECT_THAT(Beginnings(texts, "abd"), ElementsAre("a", "ab"));
  EXPECT_THAT(Beginnings(texts, "acx"), ElementsAre("a", "ac"));
  EXPECT_THAT(Beginnings(texts, "b"), ElementsAre());
  EXPECT_THAT(Beginnings(texts, "b\xff"), ElementsAre("b\xff"));
  EXPECT_THAT(Beginnings(texts, "\xff\xff\xff"), ElementsAre("\xff\xff"));
  EXPECT_THAT(Beginnings(texts, "z"), ElementsAre());
}

TEST(SortedTexts, AWalkThatIsLostStaysLost) {
  const SortedTexts texts({"a", "ab"});
  SortedTexts::Walk walk(texts);
  EXPECT_FALSE(walk.Step('x'));
  EXPECT_FALSE(walk.Step('a'));
  EXPECT_FALSE(walk.Here());
}

TEST(SortedTexts, MayBeNone) { EXPECT_THAT(Beginnings(SortedTexts({}), "a"), ElementsAre()); }

}  // namespace
}  // namespace edgemoe
