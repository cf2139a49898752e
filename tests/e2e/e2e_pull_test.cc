// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe pull` and `edgemoe models` with a real daemon, edgemoe-download and a hub on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/download/faulty_hub.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class E2ePullTest : public testing::Test {
 protected:
  E2ePullTest() {
    fs::create_directory(models_);
    EXPECT_TRUE(WriteTinyModel(loaded_, {}).ok());
    EXPECT_TRUE(WriteTinyModel(remote_, {.seed = 2}).ok());
    bytes_ = ReadFile(remote_);
    hub_.Add("org/tiny", "tiny-Q8_0.gguf", bytes_);
    WriteFile(folder_ / "catalogue.json", R"({"models": [
        {"name": "short", "repository": "org/tiny", "licence": "MIT", "file": "tiny",
         "quant": {"4GB": "Q8_0", "8GB": "Q8_0", "16GB": "Q8_0"}}]})");
    const char* const path = std::getenv("PATH");
    daemon_.emplace(
        folder_ / "s.sock",
        std::vector<std::string>{"--model", loaded_, "--context-tokens", "128",
                                 "--models-directory", models_, "--download-socket",
                                 folder_ / "none.sock", "--models-catalogue",
                                 folder_ / "catalogue.json"},
        DaemonProcess::Environment{
            {"PATH", EDGEMOE_DOWNLOAD_FOLDER ":" + std::string(path == nullptr ? "" : path)}});
    EXPECT_TRUE(daemon_->WaitReady()) << daemon_->log();
  }

  std::vector<std::string> Command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {EDGEMOE_PROGRAM, "--socket", daemon_->socket()});
    return arguments;
  }
  ChildProcess::Options Environment() const {
    return {.input = {}, .environment = {{"HF_ENDPOINT", hub_.origin()}, {"HF_TOKEN", "hf_x"}}};
  }
  // The exit code; what was written is in `said_`.
  std::optional<int> Run(const std::vector<std::string>& arguments) {
    ChildProcess client(Command(arguments), Environment());
    const std::optional<int> code = client.Wait();
    said_ = client.output() + client.errors();
    return code;
  }

  FaultyHub hub_;
  TempFolder folder_;
  const std::string models_ = folder_ / "models";
  const std::string loaded_ = folder_ / "loaded.gguf";
  const std::string remote_ = folder_ / "remote.gguf";
  std::string bytes_;
  std::string said_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(E2ePullTest, DownloadsListsAndRemoves) {
  hub_.Script("org/tiny", {{"file", {{{"cut", bytes_.size() / 2}}}}});
  ASSERT_EQ(Run({"pull", "hf.co/org/tiny"}), 0) << said_ << daemon_->log();
  EXPECT_THAT(said_, HasSubstr(models_ + "/tiny-Q8_0.gguf"));
  EXPECT_THAT(said_, HasSubstr("its SHA-256 is right"));
  EXPECT_TRUE(ReadFile(models_ + "/tiny-Q8_0.gguf") == bytes_);
  EXPECT_EQ(hub_.Log("/resolve/").front()["Authorization"], "Bearer hf_x");
  ASSERT_EQ(Run({"pull", "hf.co/org/tiny", "--json"}), 0) << said_;
  EXPECT_TRUE(json::parse(said_)["report"]["wasThere"].get<bool>());
  ASSERT_EQ(Run({"models", "ls"}), 0);
  EXPECT_THAT(said_, HasSubstr("tiny-Q8_0"));
  ASSERT_EQ(Run({"models", "show", "tiny-Q8_0"}), 0);

  EXPECT_EQ(Run({"models", "rm", "tiny-Q8_0"}), 64);
  EXPECT_THAT(said_, HasSubstr("--yes"));
  ASSERT_EQ(Run({"models", "rm", "tiny-Q8_0", "--yes"}), 0) << said_;
  EXPECT_THAT(NamesIn(models_), IsEmpty());
  EXPECT_EQ(Run({"models", "rm", "tiny-Q8_0", "--yes"}), 68);
}

TEST_F(E2ePullTest, AsksOnATerminal) {
  if (!ChildProcess::CanHaveTerminal()) GTEST_SKIP() << "SKIPPED: no pseudo-terminals";
  fs::copy_file(remote_, models_ + "/mine.gguf");
  for (const char* answer : {"no\n", "y\n"}) {
    EXPECT_TRUE(fs::exists(models_ + "/mine.gguf"));
    ChildProcess client(Command({"models", "rm", "mine"}),
                        {.input = {}, .environment = {}, .terminal = true});
    ASSERT_TRUE(client.WaitForOutput("[y/N]"));
    client.Type(answer);
    EXPECT_EQ(client.Wait(), 0) << client.output();
  }
  EXPECT_FALSE(fs::exists(models_ + "/mine.gguf"));
}

TEST_F(E2ePullTest, LinksFilesInAndKeepsWhatIsInUse) {
  ASSERT_EQ(Run({"models", "add", remote_}), 0) << said_;
  EXPECT_TRUE(fs::is_symlink(models_ + "/remote.gguf"));
  EXPECT_EQ(Run({"models", "add", remote_}), 73) << said_;
  ASSERT_EQ(Run({"models", "rm", "remote", "--yes"}), 0) << said_;
  EXPECT_TRUE(fs::exists(remote_));
  // The loaded one, from within the directory and from elsewhere.
  EXPECT_EQ(Run({"models", "rm", "loaded", "--yes"}), 65);
  EXPECT_THAT(said_, HasSubstr("not in models.directory"));
  fs::create_hard_link(loaded_, models_ + "/same.gguf");
  EXPECT_EQ(Run({"models", "rm", "same", "--yes"}), 65);
  EXPECT_THAT(said_, HasSubstr("is loaded"));
  // What is no model does not become one.
  WriteFile(folder_ / "bad.gguf", "no model");
  EXPECT_EQ(Run({"models", "add", folder_ / "bad.gguf"}), 65) << said_;
  EXPECT_THAT(NamesIn(models_), ElementsAre("same.gguf"));
}

TEST_F(E2ePullTest, GoesOnWhenTheClientLeaves) {
  hub_.Script("org/tiny", {{"file", {{{"stall", 5000}}}}});
  {
    ChildProcess client(Command({"pull", "hf.co/org/tiny"}), Environment());
    ASSERT_TRUE(client.WaitForErrors("tiny-Q8_0.gguf")) << daemon_->log();
    client.Signal(SIGINT);
    EXPECT_EQ(client.Wait(), 130);
    EXPECT_THAT(client.errors(), HasSubstr("the download goes on"));
  }
  EXPECT_EQ(Run({"pull", "hf.co/org/other"}), 65);
  EXPECT_THAT(said_, HasSubstr("one download runs at a time"));
  ChildProcess second(Command({"pull", "hf.co/org/tiny"}), Environment());
  ASSERT_TRUE(second.WaitForErrors("tiny-Q8_0.gguf"));
  EXPECT_EQ(Run({"pull", "--cancel"}), 0) << said_;
  EXPECT_NE(second.Wait(), 0);
  EXPECT_THAT(second.errors(), HasSubstr("cancelled"));
  ASSERT_EQ(Run({"pull", "hf.co/org/tiny"}), 0) << said_;
  EXPECT_TRUE(ReadFile(models_ + "/tiny-Q8_0.gguf") == bytes_);
}

TEST_F(E2ePullTest, TakesShortNames) {
  ASSERT_EQ(Run({"pull", "short"}), 0) << said_;
  EXPECT_THAT(NamesIn(models_), ElementsAre("tiny-Q8_0.gguf"));
  ASSERT_EQ(Run({"models", "show", "short"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("tiny-Q8_0"));
  EXPECT_EQ(Run({"plan", "--model", "short", "--context", "64"}), 0) << said_;
}

TEST_F(E2ePullTest, SaysWhatIsWrong) {
  EXPECT_EQ(Run({"pull", "hf.co/org/none"}), 68) << said_;
  EXPECT_EQ(Run({"pull", "qwen"}), 65);
  EXPECT_THAT(said_, HasSubstr("hf.co/ORG/REPO"));
  EXPECT_EQ(Run({"pull"}), 64);
  EXPECT_EQ(Run({"pull", "--cancel"}), 68);
}

}  // namespace
}  // namespace edgemoe
