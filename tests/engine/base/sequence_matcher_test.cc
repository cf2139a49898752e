// SPDX-License-Identifier: Apache-2.0
#include "engine/base/sequence_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

TEST(SequenceMatcher, WithoutSequencesLetsEverythingThrough) {
  SequenceMatcher matcher({});
  std::string out;
  EXPECT_FALSE(matcher.Push("anything", out));
  EXPECT_EQ(out, "anything");
  EXPECT_EQ(matcher.TakeHeld(), "");
}

TEST(SequenceMatcher, HoldsBackWhatMayBecomeAStop) {
  SequenceMatcher matcher({"\n\nUser:"});
  std::string out;
  EXPECT_FALSE(matcher.Push("Hi\n", out));
  EXPECT_EQ(out, "Hi");
  EXPECT_FALSE(matcher.Push("\nUs", out));
  EXPECT_EQ(out, "Hi");
  EXPECT_FALSE(matcher.Push("age", out));
  EXPECT_EQ(out, "Hi\n\nUsage");
  EXPECT_EQ(matcher.Push(" \n\nUser: x", out), 0U);
  EXPECT_EQ(out, "Hi\n\nUsage ");
  EXPECT_EQ(matcher.TakeHeld(), "");
}

TEST(SequenceMatcher, GivesBackWhatWasHeldAtTheEnd) {
  SequenceMatcher matcher({"stop"});
  std::string out;
  EXPECT_FALSE(matcher.Push("nonsto", out));
  EXPECT_EQ(out, "non");
  EXPECT_EQ(matcher.TakeHeld(), "sto");
}

TEST(SequenceMatcher, FindsASequenceThatOverlapsItself) {
  SequenceMatcher matcher({"aab"});
  std::string out;
  EXPECT_FALSE(matcher.Push("aaa", out));
  EXPECT_EQ(out, "a");
  EXPECT_EQ(matcher.Push("b", out), 0U);
  EXPECT_EQ(out, "a");
}

TEST(SequenceMatcher, TakesTheFirstToEndAndOfThoseTheLongest) {
  std::string out;
  EXPECT_EQ(SequenceMatcher({"abcd", "bc"}).Push("abcd", out), 1U);
  EXPECT_EQ(out, "a");
  out.clear();
  EXPECT_EQ(SequenceMatcher({"c", "abc"}).Push("xabc", out), 1U);
  EXPECT_EQ(out, "x");
}

TEST(SequenceMatcher, BeginsAnewAfterAMatch) {
  SequenceMatcher matcher({"abab"});
  std::string out;
  EXPECT_EQ(matcher.Push("abab", out), 0U);
  EXPECT_FALSE(matcher.holds());
  EXPECT_FALSE(matcher.Push("ab", out));  // no part of the first match
  EXPECT_TRUE(matcher.holds());
  EXPECT_EQ(matcher.Push("ab", out), 0U);
  EXPECT_EQ(out, "");
  EXPECT_FALSE(matcher.Push("ab", out));
  EXPECT_EQ(matcher.TakeHeld(), "ab");
  EXPECT_FALSE(matcher.Push("ab", out));
  EXPECT_EQ(out, "");
}

// The slow, obvious version: the shortest prefix of the text that ends in a sequence.
std::pair<std::string, int> Expected(const std::string& text,
                                     const std::vector<std::string>& sequences) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    int best = -1;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const std::string& s = sequences[i];
      const bool ends_here = s.size() <= end && text.compare(end - s.size(), s.size(), s) == 0;
      if (ends_here && (best < 0 || s.size() > sequences[static_cast<std::size_t>(best)].size()))
        best = static_cast<int>(i);
    }
    if (best >= 0)
      return {text.substr(0, end - sequences[static_cast<std::size_t>(best)].size()), best};
  }
  return {text, -1};
}

TEST(SequenceMatcher, AgreesWithTheObviousSearchHoweverTheTextIsCut) {
  Random random(7);
  const auto word = [&random](std::size_t length_max) {
    std::string text(1 + random.NextBelow(length_max), 'a');
    for (char& c : text) c = static_cast<char>('a' + random.NextBelow(2));
    return text;
  };
  int matches = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> sequences;
    for (std::uint64_t i = 0; i <= random.NextBelow(3); ++i) sequences.push_back(word(6));
    const std::string text = word(24);
    const auto [expected_text, expected_index] = Expected(text, sequences);

    SequenceMatcher matcher(sequences);
    std::string out;
    std::optional<std::size_t> found;
    for (std::size_t at = 0; at < text.size() && !found;) {
      const std::size_t length = 1 + random.NextBelow(4);
      found = matcher.Push(std::string_view(text).substr(at, length), out);
      at += length;
    }
    out += matcher.TakeHeld();
    EXPECT_EQ(out, expected_text);
    EXPECT_EQ(found ? static_cast<int>(*found) : -1, expected_index) << text;
    matches += found ? 1 : 0;
  }
  EXPECT_GT(matches, 100);
}

}  // namespace
}  // namespace edgemoe
