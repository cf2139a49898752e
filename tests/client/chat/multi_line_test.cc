// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/multi_line.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace edgemoe::cli {
namespace {

using State = MultiLine::State;

// What lines are together; "(more)" where another one is wanted.
std::string Joined(std::initializer_list<std::string> lines) {
  MultiLine typed;
  State state = State::kMore;
  for (const std::string& line : lines) {
    EXPECT_EQ(state, State::kMore) << line << " comes after the end";
    state = typed.Take(line);
    EXPECT_EQ(typed.open(), state == State::kMore);
  }
  return state == State::kMore ? "(more)" : typed.text();
}

TEST(MultiLineTest, OneLineIsItself) {
  EXPECT_EQ(Joined({"one"}), "one");
  EXPECT_EQ(Joined({""}), "");
  EXPECT_EQ(Joined({"say \"\"\"x\"\"\" twice"}), "say \"\"\"x\"\"\" twice");
}

TEST(MultiLineTest, QuotesBeginAndEnd) {
  EXPECT_EQ(Joined({"\"\"\"", "one", "", " two\\", "\"\"\""}), "one\n\n two\\");
  EXPECT_EQ(Joined({"\"\"\"one", "two\"\"\""}), "one\ntwo");
  EXPECT_EQ(Joined({"\"\"\"one\"\"\""}), "one");
  EXPECT_EQ(Joined({"\"\"\"\"\"\""}), "");
  EXPECT_EQ(Joined({"\"\"\"", "/exit"}), "(more)");
  MultiLine typed;
  (void)typed.Take("\"\"\"/exit\"\"\"");
  EXPECT_TRUE(typed.quoted());
  (void)typed.Take("/exit");
  EXPECT_FALSE(typed.quoted());
}

TEST(MultiLineTest, ABackslashGoesOn) {
  EXPECT_EQ(Joined({"one\\", "two\\", "three"}), "one\ntwo\nthree");
  EXPECT_EQ(Joined({"\\", "one"}), "\none");
  EXPECT_EQ(Joined({"one\\\\"}), "one\\\\") << "two are two";
  EXPECT_EQ(Joined({"one\\"}), "(more)");
  EXPECT_EQ(Joined({"one\\", "\"\"\""}), "one\n\"\"\"");
}

TEST(MultiLineTest, ClearForgetsWhatHasBegun) {
  MultiLine typed;
  EXPECT_EQ(typed.Take("one\\"), State::kMore);
  typed.Clear();
  EXPECT_FALSE(typed.open());
  EXPECT_EQ(typed.Take("two"), State::kWhole);
  EXPECT_EQ(typed.text(), "two");
}

TEST(MultiLineTest, WhatIsTooLongIsForgottenAsAWhole) {
  MultiLine typed;
  EXPECT_EQ(typed.Take("\"\"\""), State::kMore);
  const std::string line(MultiLine::kBytesMax / 2, 'x');
  for (int i = 0; i < 5; ++i) EXPECT_EQ(typed.Take(line), State::kMore);
  EXPECT_EQ(typed.Take("\"\"\""), State::kTooLong) << "nothing of it is taken for another text";
  EXPECT_EQ(typed.text(), "");
  EXPECT_EQ(typed.Take("short"), State::kWhole);
  EXPECT_EQ(typed.text(), "short");
}

}  // namespace
}  // namespace edgemoe::cli
