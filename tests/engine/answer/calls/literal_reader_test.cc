// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/calls/literal_reader.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

// The JSON of a literal that a comma follows; "?" where it is none.
std::string JsonOf(LiteralStyle style, std::string_view literal) {
  LiteralReader reader(style);
  std::string json;
  for (const char byte : std::string(literal) + ",") {
    const LiteralReader::Step step = reader.Push(byte, json);
    if (step == LiteralReader::Step::kFailed) return "?";
    if (step != LiteralReader::Step::kMore) return json;
  }
  return "?";
}

TEST(LiteralReader, WritesPythonAsJson) {
  const auto json = [](std::string_view text) { return JsonOf(LiteralStyle::kPython, text); };
  EXPECT_EQ(json("1"), "1");
  EXPECT_EQ(json(" -2.5e3"), "-2.5e3");
  EXPECT_EQ(json("True"), "true");
  EXPECT_EQ(json("None"), "null");
  EXPECT_EQ(json("false"), "false");
  EXPECT_EQ(json("'a\"b'"), "\"a\\\"b\"");
  EXPECT_EQ(json("\"it's\\t\\x41\\q\\U0001F600\""), "\"it's\\tA\\\\q😀\"");
  EXPECT_EQ(json("[1, (2, 'x',), []]"), "[1, [2, \"x\"], []]");
  EXPECT_EQ(json("{'a': {}, \"b\" : [None]}"), "{\"a\": {}, \"b\": [null]}");
  for (const char* wrong : {"a", "01", "1x", "{a: 1}", "[1 2]", "[1", "{'a'}", "{1: 2}", "]", "[}",
                            "'\\xg0'", "{'a': }", "+1", "{,}", "[,]"})
    EXPECT_EQ(json(wrong), "?") << wrong;
}

TEST(LiteralReader, WritesGemmasValuesAsJson) {
  const auto json = [](std::string_view text) { return JsonOf(LiteralStyle::kGemma, text); };
  EXPECT_EQ(json("<|\"|>a<|\"b\n<|\"|>"), "\"a<|\\\"b\\n\"");
  EXPECT_EQ(json("<|\"|><<|\"|>"), "\"<\"");
  EXPECT_EQ(json("{a:1,<|\"|>b<|\"|>:[true,null]}"), "{\"a\": 1, \"b\": [true, null]}");
  EXPECT_EQ(json("[None,null]"), "[null, null]");
  for (const char* wrong : {"a", "'a'", "<|'|>", "{a}", "(1)", "True"})
    EXPECT_EQ(json(wrong), "?") << wrong;
  EXPECT_EQ(JsonOf(LiteralStyle::kFunctionGemma, "<escape>x<esc<escape>"), "\"x<esc\"");
}

}  // namespace
}  // namespace edgemoe
