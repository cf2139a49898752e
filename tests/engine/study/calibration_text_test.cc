// SPDX-License-Identifier: Apache-2.0
#include "engine/study/calibration_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace edgemoe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(CalibrationText, TheDefaultIsTheProjectsFile) {
  std::ifstream in(EDGEMOE_SOURCE_DIR "/engine/study/calibration_text.txt", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_EQ(DefaultCalibrationText(), text.str());
  EXPECT_TRUE(CheckCalibrationText(DefaultCalibrationText()).ok());
  EXPECT_GE(DefaultCalibrationText().size(), 60'000U);
  EXPECT_LE(DefaultCalibrationText().size(), 120'000U);
}

// Text that says the same again would teach nothing.
TEST(CalibrationText, TheDefaultRepeatsNoLongLine) {
  std::istringstream text{std::string(DefaultCalibrationText())};
  std::set<std::string> seen;
  for (std::string line; std::getline(text, line);) {
    if (line.size() < 40) continue;
    EXPECT_TRUE(seen.insert(line).second) << line;
  }
}

TEST(CalibrationText, RefusesWhatIsEmpty) {
  for (const std::string_view empty : {"", " \n\t\r\n"}) {
    const Status status = CheckCalibrationText(empty);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("found nothing"));
  }
}

TEST(CalibrationText, NamesTheFirstByteThatIsNoText) {
  using std::string_view_literals::operator""sv;
  const Status nul = CheckCalibrationText("abc\0def\xff"sv);
  EXPECT_EQ(nul.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(nul.message(), HasSubstr("found a NUL at byte 3"));
  const Status latin = CheckCalibrationText("caf\xe9 noir");
  EXPECT_EQ(latin.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(latin.message(), HasSubstr("not UTF-8 at byte 3"));
}

TEST(CalibrationText, AnyLanguageWillDo) {
  EXPECT_TRUE(CheckCalibrationText("Ein Käse, 一块奶酪, один сыр.").ok());
}

TEST(CalibrationText, IsBounded) {
  EXPECT_TRUE(CheckCalibrationText(std::string(kCalibrationBytesMax, 'a')).ok());
  const Status status = CheckCalibrationText(std::string(kCalibrationBytesMax + 1, 'a'));
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("67108865"), HasSubstr("67108864")));
}

class CalibrationFile : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  void Write(std::string_view bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  Status ReadStatus() {
    const auto read = ReadCalibrationText(path_);
    return read ? OkStatus() : read.error();
  }
  const std::string path_ = std::filesystem::temp_directory_path() /
                            ("calibration_text_test." + std::to_string(::getpid()));
};

TEST_F(CalibrationFile, IsRead) {
  Write("Grüße\n");
  EXPECT_EQ(*ReadCalibrationText(path_), "Grüße\n");
}

TEST_F(CalibrationFile, NamesThePath) {
  EXPECT_EQ(ReadStatus().code(), StatusCode::kNotFound);
  for (const std::string_view bad : {"", "\xff"}) {
    Write(bad);
    EXPECT_EQ(ReadStatus().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(ReadStatus().message(), HasSubstr(path_));
  }
  std::filesystem::resize_file(path_, kCalibrationBytesMax + 1);
  EXPECT_EQ(ReadStatus().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(ReadStatus().message(), AllOf(HasSubstr(path_), HasSubstr("67108865")));
}

TEST_F(CalibrationFile, IsARegularFile) {
  const auto read = ReadCalibrationText(std::filesystem::temp_directory_path().string());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace edgemoe
