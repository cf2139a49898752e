// SPDX-License-Identifier: Apache-2.0
//
// `cmake --install` into prefixes that were not configured: the unit starts what lies there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The command of a unit, word by word.
std::vector<std::string> StartCommand(const std::filesystem::path& unit) {
  std::ifstream file(unit);
  constexpr std::string_view kKey = "ExecStart=";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(kKey)) continue;
    std::istringstream words(line.substr(kKey.size()));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

class E2eInstallTest : public testing::Test {
 protected:
  void Install(const std::string& prefix, const std::string& stage = "") {
    ChildProcess install({EDGEMOE_CMAKE, "--install", EDGEMOE_BUILD_DIR, "--prefix", prefix},
                         {.input = {}, .environment = {{"DESTDIR", stage}}});
    ASSERT_EQ(install.Wait(), 0) << install.output() << install.errors();
  }

  const TempFolder folder_;
};

TEST_F(E2eInstallTest, TheUnitFindsItsFilesUnderAnyPrefix) {
  const std::filesystem::path prefix = folder_ / "opt/moe";
  Install(prefix);
  const std::vector<std::string> command =
      StartCommand(prefix / "lib/systemd/system/edgemoed.service");
  ASSERT_EQ(command.size(), 5U);
  EXPECT_EQ(command[0], prefix / "bin/edgemoed");
  EXPECT_EQ(command[1], "--config");
  EXPECT_EQ(command[2], prefix / "etc/edgemoe/edgemoed.json");
  EXPECT_THAT(ReadText(prefix / "lib/systemd/system/edgemoed.socket"), Not(HasSubstr("@")));

  // As the unit starts it; this machine need not have the unit's group.
  ChildProcess check({command[0], command[1], command[2], "--check-config", "--model",
                      EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf", "--socket",
                      folder_ / "s.sock"});
  EXPECT_EQ(check.Wait(), 0) << check.errors();
}

TEST_F(E2eInstallTest, UnderUsrTheConfigurationIsInEtcAndStaysAsItIs) {
  const std::filesystem::path stage = folder_ / "stage";
  Install("/usr", stage);
  const std::vector<std::string> command =
      StartCommand(stage / "usr/lib/systemd/system/edgemoed.service");
  ASSERT_EQ(command.size(), 5U);
  EXPECT_EQ(command[0], "/usr/bin/edgemoed");
  EXPECT_EQ(command[2], "/etc/edgemoe/edgemoed.json");
  const std::filesystem::path config = stage / "etc/edgemoe/edgemoed.json";
  ASSERT_TRUE(std::filesystem::exists(config));

  std::ofstream(config) << R"({"threads": 2})";
  Install("/usr", stage);
  EXPECT_EQ(ReadText(config), R"({"threads": 2})");
  EXPECT_TRUE(std::filesystem::exists(stage / "etc/edgemoe/edgemoed.json.new"));
}

}  // namespace
}  // namespace edgemoe
