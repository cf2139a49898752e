// SPDX-License-Identifier: Apache-2.0
#include "engine/base/split_name.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

TEST(SplitNameTest, TellsStemPartAndCount) {
  const auto name = ParseSplitName("http://h/m/x-00002-of-00003.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->stem, "http://h/m/x");
  EXPECT_EQ(name->part, 2u);
  EXPECT_EQ(name->count, 3u);
  EXPECT_TRUE(name->is_possible());
  EXPECT_EQ(name->PathOf(1), "http://h/m/x-00001-of-00003.gguf");
}

TEST(SplitNameTest, OtherNamesAreNone) {
  for (const char* path :
       {"model.gguf", "", "x-0001-of-0002.gguf", "x-00001-of-00002", "-00001-of-00002.gguf",
        "x-00001-OF-00002.gguf", "x-00001-of-00002.GGUF", "x-0000a-of-00002.gguf",
        "x-00001-of-00002.gguf.partial", "x-+0001-of-00002.gguf", "x-    1-of-    2.gguf"})
    EXPECT_FALSE(ParseSplitName(path)) << path;
}

TEST(SplitNameTest, NumbersMayBeImpossible) {
  for (const char* path : {"x-00000-of-00003.gguf", "x-00004-of-00003.gguf",
                           "x-00001-of-00000.gguf", "x-00001-of-01025.gguf"}) {
    ASSERT_TRUE(ParseSplitName(path)) << path;
    EXPECT_FALSE(ParseSplitName(path)->is_possible()) << path;
  }
  EXPECT_TRUE(ParseSplitName("x-01024-of-01024.gguf")->is_possible());
}

}  // namespace
}  // namespace edgemoe
