// SPDX-License-Identifier: Apache-2.0
#include "engine/tokenizer/utf8_stream.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/base/random.h"
#include "engine/base/utf8.h"

namespace edgemoe {
namespace {

TEST(Utf8Stream, HoldsBackHalfACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("a\xF0\x9F"), "a");
  EXPECT_FALSE(stream.at_boundary());
  EXPECT_EQ(stream.Push("\xA6"), "");
  EXPECT_EQ(stream.Push("\x99z"), "\U0001F999z");
  EXPECT_TRUE(stream.at_boundary());
  EXPECT_EQ(stream.Flush(), "");
}

TEST(Utf8Stream, FlushReplacesAnIncompleteTailOnce) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("\xF0\x9F\xA6"), "");
  EXPECT_EQ(stream.Flush(), "\uFFFD");
  EXPECT_EQ(stream.Flush(), "");
  EXPECT_EQ(stream.Push("b"), "b");
}

TEST(Utf8Stream, BytesThatAreNoCharacterAreReplaced) {
  Utf8Stream stream;
  EXPECT_EQ(stream.Push("\xFF"
                        "a\x80"),
            "\uFFFD"
            "a\uFFFD");
  EXPECT_EQ(stream.Push("\xE6\x97"), "");
  EXPECT_EQ(stream.Push("x"), "\uFFFDx");  // the tail can no longer be completed
  EXPECT_EQ(stream.Push("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
}

// However the bytes are cut, the same text comes out, and it is UTF-8.
TEST(Utf8Stream, CutsDoNotMatter) {
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (int i = 0; i < 30; ++i) {
      if (random.NextBelow(2) == 0) {
        AppendUtf8(static_cast<char32_t>(random.NextBelow(0x110000)), bytes);
      } else {
        bytes.push_back(static_cast<char>(random.NextBelow(256)));
      }
    }
    Utf8Stream whole;
    std::string expected = whole.Push(bytes);
    expected += whole.Flush();
    EXPECT_EQ(FindInvalidUtf8(expected), std::string::npos);
    Utf8Stream cut;
    std::string text;
    for (const char byte : bytes) text += cut.Push(std::string_view(&byte, 1));
    text += cut.Flush();
    EXPECT_EQ(text, expected);
  }
}

}  // namespace
}  // namespace edgemoe
