// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/json_scanner.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/random.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

// The scanner's word for the whole of a text: it is done with the last byte.
bool Scans(std::string_view text) {
  JsonScanner scanner;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const ReadStep step = scanner.Push(text[i]);
    if (step == ReadStep::kFailed) return false;
    if (step == ReadStep::kDone) return i + 1 == text.size();
  }
  return false;
}

TEST(JsonScanner, TakesObjectsAndArrays) {
  for (const char* text :
       {"{}", "[]", " [ ]", "{\"a\": 1}", "[0, -0, 1.5, 2e3, 1E-2, true, false, null, \"x\"]",
        R"(["\ud83d\uDE00\u00Ff"])", R"({"a": {"b": [{}, [], ""]}, "c": "\u00e9\n\"\\"})"})
    EXPECT_TRUE(Scans(text)) << text;
  for (const char* text : {"1",
                           "\"a\"",
                           "{",
                           "{a}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "[1,]",
                           "[01]",
                           "[1.]",
                           "[.5]",
                           "[-]",
                           "[1e]",
                           R"(["\ud83d"])",
                           R"(["\ude00"])",
                           R"(["\ud83d\n"])",
                           "[tru]",
                           "[True]",
                           "[\"\\x\"]",
                           "[\"\\u12g4\"]",
                           "[\"\n\"]",
                           "[1 2]",
                           "[}",
                           "{\"a\": 1 \"b\": 2}"})
    EXPECT_FALSE(Scans(text)) << text;
}

TEST(JsonScanner, AgreesWithTheParser) {
  constexpr int kTexts = kSanitized ? 3000 : 100'000;
  constexpr std::string_view kPieces[] = {"{", "}",       "[",  "]",   ",", ":",       "\"a\"",
                                          "1", "-",       "0",  ".5",  "e", "true",    "null",
                                          " ", "\"\\n\"", "\"", "E+1", "x", "\\uD83d", "\\uDe0F"};
  Random random(3);
  int accepted = 0;
  for (int i = 0; i < kTexts; ++i) {
    std::string text = "[";
    const std::uint64_t pieces = random.NextBelow(8);
    for (std::uint64_t k = 0; k < pieces; ++k)
      text += kPieces[random.NextBelow(std::size(kPieces))];
    text += "]";
    ASSERT_EQ(Scans(text), IsJson(text)) << text;
    accepted += IsJson(text) ? 1 : 0;
  }
  EXPECT_GT(accepted, kTexts / 100);
}

TEST(JsonScanner, TellsKeysFromValues) {
  JsonScanner scanner;
  std::string places;
  for (const char byte : std::string_view(R"({"a": [1], "b": 2 ,"c":"d","e":true})")) {
    ASSERT_NE(scanner.Push(byte), ReadStep::kFailed);
    const char place = scanner.place() == JsonScanner::Place::kKey     ? 'k'
                       : scanner.place() == JsonScanner::Place::kValue ? 'v'
                                                                       : '.';
    places += scanner.value_ended() ? static_cast<char>(place == 'v' ? 'V' : '!') : place;
  }
  EXPECT_EQ(places, ".kkk..vvV..kkk..v!.kkk.vvV.kkk.vvvV.");
}

}  // namespace
}  // namespace edgemoe
