// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/slash_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgemoe::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = TypedText::Kind;

std::string Said(const std::string& text) {
  const TypedText typed = ReadTyped(text);
  return typed.kind == Kind::kSaid ? typed.text : "(not said)";
}

std::string Refused(const std::string& text) {
  const TypedText typed = ReadTyped(text);
  return typed.kind == Kind::kRefused ? typed.text : "(not refused)";
}

TEST(SlashCommandsTest, WhatIsNoCommandIsSaid) {
  EXPECT_EQ(Said("hello /exit"), "hello /exit");
  EXPECT_EQ(Said(" /exit is how one leaves"), " /exit is how one leaves");
  EXPECT_EQ(Said("/etc/passwd has what in it?"), "/etc/passwd has what in it?");
  EXPECT_EQ(Said("/3 of it"), "/3 of it");
}

TEST(SlashCommandsTest, ACommandHasItsText) {
  const TypedText typed = ReadTyped("/system  be brief,\nalways \n");
  EXPECT_EQ(typed.kind, Kind::kCommand);
  EXPECT_EQ(typed.command, SlashCommand::kSystem);
  EXPECT_EQ(typed.text, "be brief,\nalways");
  EXPECT_EQ(ReadTyped("/save! x").command, SlashCommand::kSaveOver);
  EXPECT_EQ(ReadTyped("/save x").command, SlashCommand::kSave);
  EXPECT_EQ(ReadTyped("/exit ").kind, Kind::kCommand);
  EXPECT_EQ(ReadTyped("/set").text, "");
}

TEST(SlashCommandsTest, MistakesAreNotSaid) {
  EXPECT_THAT(Refused("/sytem be brief"),
              AllOf(HasSubstr("/sytem is no command; there are /clear, "),
                    HasSubstr("did you mean /system?")));
  EXPECT_THAT(Refused("/bye"), HasSubstr("did you mean /exit?"));
  EXPECT_THAT(Refused("/unheardof"), Not(HasSubstr("did you mean")));
  EXPECT_THAT(Refused("/etc/passwd"), HasSubstr("is no command"));
  EXPECT_THAT(Refused("/"), HasSubstr("is no command"));
  EXPECT_EQ(Refused("/clear all"), "/clear: found \"all\" behind it; accepted: nothing");
  EXPECT_EQ(Refused("/load"), "/load: found nothing behind it; accepted: FILE");
}

TEST(SlashCommandsTest, HelpTellsEveryCommand) {
  for (const char* word : {"/clear", "/exit", "/fold", "/help", "/load FILE", "/retry",
                           "/save FILE", "/save! FILE", "/set [NAME", "/system [TEXT]", "\"\"\""})
    EXPECT_THAT(SlashHelp(), HasSubstr(word));
}

}  // namespace
}  // namespace edgemoe::cli
