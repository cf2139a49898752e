// SPDX-License-Identifier: Apache-2.0
#include "client/cli/chat/history_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/child_process.h"

namespace edgemoe::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class HistoryFileTest : public testing::Test {
 protected:
  std::string Content() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TempFolder folder_;
  std::string path_ = folder_ / "state/edgemoe/chat_history";
};

TEST_F(HistoryFileTest, LinesComeBackAndAreTheirOwnersAlone) {
  HistoryFile first(path_, 10);
  EXPECT_THAT(first.Load(), IsEmpty());
  EXPECT_TRUE(first.Append("one").ok());
  EXPECT_TRUE(first.Append("tw\xC3\xB6").ok());
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(fs::status(folder_ / "state/edgemoe").permissions(), fs::perms::owner_all);
  HistoryFile second(path_, 10);
  EXPECT_THAT(second.Load(), ElementsAre("one", "tw\xC3\xB6"));
  EXPECT_FALSE(second.Keeps("tw\xC3\xB6")) << "it is the last one already";
}

TEST_F(HistoryFileTest, ConversationsAtOnceKeepEachOthersLines) {
  HistoryFile first(path_, 10), second(path_, 10);
  EXPECT_TRUE(first.Append("a").ok());
  EXPECT_TRUE(second.Append("b").ok());
  EXPECT_TRUE(first.Append("c").ok());
  EXPECT_EQ(Content(), "a\nb\nc\n");
}

TEST_F(HistoryFileTest, SomeLinesAreNotKept) {
  HistoryFile history("", 10);
  EXPECT_TRUE(history.Keeps("a"));
  EXPECT_FALSE(history.Keeps(""));
  EXPECT_FALSE(history.Keeps(" secret"));
  EXPECT_TRUE(history.Keeps(std::string(HistoryFile::kLineBytesMax, 'x')));
  EXPECT_FALSE(history.Keeps(std::string(HistoryFile::kLineBytesMax + 1, 'x')));
  EXPECT_TRUE(history.Append("a").ok()) << "without a file, too";
  EXPECT_FALSE(history.Keeps("a"));
}

TEST_F(HistoryFileTest, TheFileIsShortened) {
  HistoryFile history(path_, 3);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(history.Append(std::to_string(i)).ok());
  EXPECT_EQ(Content(), "0\n1\n2\n3\n4\n");
  EXPECT_THAT(HistoryFile(path_, 3).Load(), ElementsAre("2", "3", "4"));
  EXPECT_TRUE(history.Append("5").ok());
  EXPECT_EQ(Content(), "3\n4\n5\n");
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(history.Append("6").ok());
  EXPECT_EQ(Content(), "3\n4\n5\n6\n");
}

TEST_F(HistoryFileTest, AFileThatCannotBeWrittenIsToldOnce) {
  std::ofstream(folder_ / "state") << "a file where a folder would be";
  HistoryFile history(path_, 3);
  EXPECT_THAT(history.Load(), IsEmpty());
  EXPECT_THAT(history.Append("a").message, testing::HasSubstr(path_));
  EXPECT_TRUE(history.Append("b").ok());
}

TEST_F(HistoryFileTest, TheEnvironmentSaysWhere) {
  ::unsetenv("EDGEMOE_HISTORY");
  ::setenv("HOME", "/home/me", 1);
  ::setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(HistoryPath(), "/state/edgemoe/chat_history");
  ::setenv("XDG_STATE_HOME", "not/absolute", 1);
  EXPECT_EQ(HistoryPath(), "/home/me/.local/state/edgemoe/chat_history");
  ::unsetenv("HOME");
  EXPECT_EQ(HistoryPath(), "");
  ::setenv("EDGEMOE_HISTORY", "mine", 1);
  EXPECT_EQ(HistoryPath(), "mine");
  ::setenv("EDGEMOE_HISTORY", "", 1);
  EXPECT_EQ(HistoryPath(), "");
}

}  // namespace
}  // namespace edgemoe::cli
