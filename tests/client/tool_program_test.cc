// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/tool_program.h"

#include <gtest/gtest.h>

#include <string>

namespace edgemoe {
namespace {

TEST(ToolProgramTest, OutputIsBounded) {
  cli::Interrupts interrupts;
  const auto text =
      cli::RunToolProgram({"sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x"}, "", interrupts);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, std::string(cli::kToolOutputBytesMax, 'x') + "\n[cut off after 1 MiB]");
}

TEST(ToolProgramTest, CtrlCEndsIt) {
  cli::Interrupts interrupts;
  // It interrupts its parent, the test, which takes that as Ctrl-C, and would run for ever.
  const auto text =
      cli::RunToolProgram({"sh", "-c", "kill -INT $PPID; exec cat /dev/zero"}, "", interrupts);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, client::StatusCode::kCancelled);
}

}  // namespace
}  // namespace edgemoe
