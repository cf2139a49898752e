// SPDX-License-Identifier: Apache-2.0
//
// The manual page and the completions that are installed are those that the command line writes.
// After a change of its options: for each of them, in client/cli/reference/written,
// `edgemoe manual > edgemoe.1`, `edgemoe completion bash > edgemoe.bash` and so on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kWritten = EDGEMOE_SOURCE_DIR "/client/cli/reference/written/";

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Output(const std::vector<std::string>& command) {
  ChildProcess child(command);
  EXPECT_EQ(child.Wait(), 0) << child.errors();
  return child.output();
}

TEST(CliReferenceTest, WhatIsInstalledIsWhatTheCommandLineTakes) {
  EXPECT_EQ(Output({EDGEMOE_PROGRAM, "manual"}), ReadText(kWritten + "edgemoe.1"));
  for (const std::string shell : {"bash", "zsh", "fish"})
    EXPECT_EQ(Output({EDGEMOE_PROGRAM, "completion", shell}),
              ReadText(kWritten + "edgemoe." + shell));
}

TEST(CliReferenceTest, AnUnknownShellIsNamed) {
  ChildProcess child({EDGEMOE_PROGRAM, "completion", "csh"});
  EXPECT_EQ(child.Wait(), 64);
  EXPECT_THAT(child.errors(), HasSubstr("csh"));
}

// What bash offers for a line that ends where the cursor is.
std::string Offers(const std::string& words) {
  const std::string script = "source " + kWritten + "edgemoe.bash; COMP_WORDS=(" + words +
                             "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _edgemoe; "
                             "printf '%s ' \"${COMPREPLY[@]}\"";
  return Output({"/usr/bin/env", "bash", "-c", script});
}

TEST(CliReferenceTest, BashOffersCommandsOptionsAndFiles) {
  EXPECT_EQ(Offers("edgemoe mod"), "models ");
  EXPECT_THAT(Offers("edgemoe models ''"), HasSubstr("ls show add rm "));
  EXPECT_EQ(Offers("edgemoe chat --tool"), "--tools ");
  EXPECT_EQ(Offers("edgemoe chat --jso"), "--json ");
  EXPECT_EQ(Offers("edgemoe --json chat --jso"), "--json ");
  EXPECT_THAT(Offers("edgemoe models rm --"), Not(HasSubstr("--temperature")));
  EXPECT_EQ(Offers("edgemoe chat --system ''"), " ");
  EXPECT_EQ(Offers("edgemoe chat --wait ''"), " ");
  EXPECT_EQ(Offers("edgemoe chat --tools " EDGEMOE_SOURCE_DIR "/READ"),
            EDGEMOE_SOURCE_DIR "/README.md ");
  EXPECT_EQ(Offers("edgemoe models add " EDGEMOE_SOURCE_DIR "/READ"),
            EDGEMOE_SOURCE_DIR "/README.md ");
}

// Of shells and programs that need not be here: their own check of the syntax.
TEST(CliReferenceTest, OthersCanReadThem) {
  const std::vector<std::vector<std::string>> checks = {
      {"zsh", "-n", kWritten + "edgemoe.zsh"},
      {"fish", "--no-execute", kWritten + "edgemoe.fish"},
      {"groff", "-man", "-ww", "-z", kWritten + "edgemoe.1"}};
  for (const std::vector<std::string>& check : checks) {
    if (ChildProcess({"/bin/sh", "-c", "command -v " + check[0]}).Wait() != 0) {
      GTEST_LOG_(WARNING) << check[0] << " is not here: what is written for it is not checked";
      continue;
    }
    std::vector<std::string> command = check;
    command.insert(command.begin(), "/usr/bin/env");
    ChildProcess child(command);
    EXPECT_EQ(child.Wait(), 0) << child.errors();
    EXPECT_EQ(child.errors(), "") << check[0];
  }
}

}  // namespace
}  // namespace edgemoe
