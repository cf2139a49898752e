// SPDX-License-Identifier: Apache-2.0
#include "client/cli/tools/tool_program.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <chrono>
#include <string>

#include "client/cli/tools/child_program.h"

namespace edgemoe {
namespace {

TEST(ToolProgramTest, OutputIsBounded) {
  cli::Interrupts interrupts;
  const auto text =
      cli::RunToolProgram({"sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x"}, "", interrupts);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, std::string(cli::kProgramOutputBytesMax, 'x') + "\n[cut off after 1 MiB]");
}

TEST(ToolProgramTest, CtrlCEndsIt) {
  cli::Interrupts interrupts;
  // It interrupts its parent, the test, which takes that as Ctrl-C, and would run for ever.
  const auto text =
      cli::RunToolProgram({"sh", "-c", "kill -INT $PPID; exec cat /dev/zero"}, "", interrupts);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, client::StatusCode::kCancelled);
}

TEST(ChildProgramTest, ErrorsEnvironmentAndStatus) {
  cli::Interrupts interrupts;
  cli::ProgramOptions options;
  options.takes_errors = true;
  options.environment = {{"WORD", "set"}};
  const auto end =
      cli::RunProgram({"sh", "-c", "echo $WORD; echo wrong >&2; exit 3"}, options, interrupts);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output, "set\nwrong\n");
  EXPECT_EQ(WEXITSTATUS(end->status), 3);
  EXPECT_EQ(cli::RunProgram({"/none"}, options, interrupts).error().code,
            client::StatusCode::kNotFound);
}

TEST(ChildProgramTest, OneThatTakesTooLongIsEnded) {
  cli::Interrupts interrupts;
  cli::ProgramOptions options;
  options.time_max = std::chrono::milliseconds(0);
  const auto end = cli::RunProgram({"cat", "/dev/zero"}, options, interrupts);
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, client::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace edgemoe
