// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/models/text_normalizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kLeaf = 1U << 8;
constexpr std::uint32_t kValue = 1U << 31;

// The offset from a unit's place to `base`, from where its children are found.
std::uint32_t To(std::uint32_t place, std::uint32_t base) { return (place ^ base) << 10; }

// "x" becomes "yes", and "xa" nothing: the root's children stand from 256 on, those of x from 512.
std::vector<std::uint32_t> Units() {
  std::vector<std::uint32_t> units(1024);
  units[0] = To(0, 256);
  units[256 ^ 'x'] = 'x' | kLeaf | To(256 ^ 'x', 512);
  units[512] = kValue | 0;
  units[512 ^ 'a'] = 'a' | kLeaf | To(512 ^ 'a', 768);
  units[768] = kValue | 4;
  return units;
}

std::vector<std::uint8_t> Map(const std::vector<std::uint32_t>& units, const std::string& texts) {
  std::vector<std::uint8_t> bytes;
  const auto put = [&bytes](std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  put(static_cast<std::uint32_t>(units.size() * 4));
  for (const std::uint32_t unit : units) put(unit);
  bytes.insert(bytes.end(), texts.begin(), texts.end());
  return bytes;
}

const std::string kTexts("yes\0\0", 5);

TEST(TextNormalizer, ReplacesTheLongestSequence) {
  const auto normalizer = TextNormalizer::Create(Map(Units(), kTexts));
  ASSERT_TRUE(normalizer) << normalizer.error().ToString();
  const auto x = normalizer->ReplaceStart("xb");
  ASSERT_TRUE(x && *x);
  EXPECT_EQ((*x)->text, "yes");
  EXPECT_EQ((*x)->replaced_bytes, 1U);
  const auto xa = normalizer->ReplaceStart("xab");
  ASSERT_TRUE(xa && *xa);
  EXPECT_EQ((*xa)->text, "");
  EXPECT_EQ((*xa)->replaced_bytes, 2U);
  EXPECT_EQ(normalizer->ReplaceStart("a").value(), std::nullopt);
  EXPECT_EQ(normalizer->ReplaceStart("").value(), std::nullopt);
}

TEST(TextNormalizer, NoMapReplacesNothing) {
  const auto normalizer = TextNormalizer::Create({});
  ASSERT_TRUE(normalizer);
  EXPECT_EQ(normalizer->ReplaceStart("x").value(), std::nullopt);
}

TEST(TextNormalizer, BadSizesAndTextsAreRefused) {
  const std::vector<std::uint8_t> good = Map(Units(), kTexts);
  std::vector<std::uint8_t> odd = good;
  odd[0] = 3;
  std::vector<std::uint8_t> huge = good;
  huge[3] = 0xFF;
  const std::pair<std::vector<std::uint8_t>, const char*> samples[] = {
      {{1, 2, 3}, "found 3 bytes; accepted: at least 4"},
      {{0, 0, 0, 0, 0}, "found a double array of 0 bytes"},
      {odd, "found a double array of 4099 bytes; accepted: a multiple of 4 below 4101"},
      {huge, "found a double array of 4278194176 bytes"},
      {Map(Units(), ""),
       "found a double array of 4096 bytes; accepted: a multiple of 4 below 4096"},
      {Map(Units(), "yes"), "found a last text without its end"},
      {Map(Units(), std::string("y\xff\0", 3)), "found no UTF-8 at byte 1 of the texts"},
  };
  for (const auto& [bytes, message] : samples) {
    const auto refused = TextNormalizer::Create(bytes);
    ASSERT_FALSE(refused) << message;
    EXPECT_THAT(refused.error().message(), HasSubstr(message));
    EXPECT_THAT(refused.error().message(), HasSubstr("tokenizer.ggml.precompiled_charsmap"));
  }
}

TEST(TextNormalizer, UnitsThatLeadOutsideAreRefusedWhereTheyAreMet) {
  std::vector<std::uint32_t> far = Units();
  far[0] = To(0, 1 << 20);
  std::vector<std::uint32_t> far_leaf = Units();
  far_leaf[256 ^ 'x'] = 'x' | kLeaf | To(256 ^ 'x', 1 << 20);
  std::vector<std::uint32_t> far_text = Units();
  far_text[512] = kValue | 5;
  for (const auto& units : {far, far_leaf, far_text}) {
    const auto normalizer = TextNormalizer::Create(Map(units, kTexts));
    ASSERT_TRUE(normalizer);
    const auto refused = normalizer->ReplaceStart("x");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("tokenizer.ggml.precompiled_charsmap: found"));
  }
  const auto longer = TextNormalizer::Create(
      Map(Units(), std::string(TextNormalizer::kReplacementBytesMax + 1, 'y') + '\0'));
  ASSERT_TRUE(longer);
  EXPECT_THAT(longer->ReplaceStart("x").error().message(), HasSubstr("a text of 257 bytes"));
}

// A unit that leads back to itself matches as long as the text goes on: only so far.
TEST(TextNormalizer, ACycleIsFollowedAFewBytesOnly) {
  std::vector<std::uint32_t> units(512);
  units[0] = To(0, 256);
  units[256 ^ 'x'] = 'x' | kLeaf | To(256 ^ 'x', 256);
  units[256] = kValue | 0;
  const auto normalizer = TextNormalizer::Create(Map(units, kTexts));
  ASSERT_TRUE(normalizer);
  const auto found = normalizer->ReplaceStart(std::string(100000, 'x'));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->replaced_bytes, TextNormalizer::kReplacedBytesMax);
}

TEST(TextNormalizer, HalfACharacterIsNotReplaced) {
  std::vector<std::uint32_t> units(1024);
  units[0] = To(0, 256);
  units[256 ^ 0xC3] = 0xC3 | kLeaf | To(256 ^ 0xC3, 512);
  units[512] = kValue | 0;
  const auto normalizer = TextNormalizer::Create(Map(units, kTexts));
  ASSERT_TRUE(normalizer);
  EXPECT_EQ(normalizer->ReplaceStart("\u00e9").value(), std::nullopt);
}

}  // namespace
}  // namespace edgemoe
