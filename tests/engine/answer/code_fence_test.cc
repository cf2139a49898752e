// SPDX-License-Identifier: Apache-2.0
#include "engine/answer/code_fence.h"

#include <gtest/gtest.h>

#include <string_view>

namespace edgemoe {
namespace {

bool InsideAfter(std::string_view text) {
  CodeFence fence;
  for (const char byte : text) fence.Push(byte);
  return fence.inside();
}

TEST(CodeFence, OpensAndClosesAtTheBeginningOfLines) {
  EXPECT_FALSE(InsideAfter("text"));
  EXPECT_FALSE(InsideAfter("``"));
  EXPECT_TRUE(InsideAfter("```"));
  EXPECT_TRUE(InsideAfter("a\n```c\nx"));
  EXPECT_TRUE(InsideAfter("   ```c\nx"));
  EXPECT_FALSE(InsideAfter("    ```c\nx"));  // indented code, not a fence
  EXPECT_FALSE(InsideAfter("a ```\nx"));
  EXPECT_FALSE(InsideAfter("```\nx\n```"));
  EXPECT_FALSE(InsideAfter("```\nx\n```  "));
  EXPECT_FALSE(InsideAfter("```\nx\n```\ny"));
  EXPECT_TRUE(InsideAfter("```\nx\n``` y"));
  EXPECT_TRUE(InsideAfter("```\nx\n``` y\n"));
}

TEST(CodeFence, IsClosedByAsManyOfTheSame) {
  EXPECT_TRUE(InsideAfter("````\nx\n```\n"));
  EXPECT_FALSE(InsideAfter("````\nx\n`````\n"));
  EXPECT_TRUE(InsideAfter("~~~\nx\n```\n"));
  EXPECT_FALSE(InsideAfter("~~~\nx\n~~~\n"));
  EXPECT_TRUE(InsideAfter("```markdown\n```python\nx"));
}

TEST(CodeFence, CodeOnOneLineIsNone) {
  EXPECT_FALSE(InsideAfter("```code``` text\n"));
  EXPECT_FALSE(InsideAfter("```code`"));
  EXPECT_TRUE(InsideAfter("~~~a`b\n"));
}

}  // namespace
}  // namespace edgemoe
