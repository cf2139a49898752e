// SPDX-License-Identifier: Apache-2.0
//
// From a daemon without a model to one that answers: `edgemoe setup` with a real daemon,
// edgemoe-download and a hub on loopback. There is no systemd here; SIGHUP is what it would send.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "tests/download/faulty_hub.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class E2eSetupTest : public testing::Test {
 protected:
  E2eSetupTest() {
    fs::create_directory(models_);
    const std::string local = folder_ / "local.gguf";
    EXPECT_TRUE(WriteTinyModel(local, {}).ok());
    hub_.Add("org/tiny", "tiny-Q8_0.gguf", ReadFile(local));
    WriteFile(folder_ / "catalogue.json", R"({"models": [
        {"name": "gone", "repository": "org/none", "licence": "MIT", "file": "none",
         "quant": {"4GB": "Q8_0", "8GB": "Q8_0", "16GB": "Q8_0"}},
        {"name": "short", "repository": "org/tiny", "licence": "MIT", "file": "tiny",
         "quant": {"4GB": "Q8_0", "8GB": "Q8_0", "16GB": "Q8_0"}}]})");
    WriteFile(config_, R"({"context_tokens": 128})");
    const char* const path = std::getenv("PATH");
    daemon_.emplace(
        std::vector<std::string>{EDGEMOED_PROGRAM, "--config", config_, "--socket", socket_,
                                 "--models-directory", models_, "--models-others", "off",
                                 "--download-socket", folder_ / "none.sock", "--models-catalogue",
                                 folder_ / "catalogue.json"},
        ChildProcess::Options{
            .input = {},
            .environment = {
                {"PATH", EDGEMOE_DOWNLOAD_FOLDER ":" + std::string(path == nullptr ? "" : path)}}});
    EXPECT_TRUE(daemon_->WaitForErrors("everything else is served")) << daemon_->errors();
  }
  ~E2eSetupTest() override {
    daemon_->Signal(SIGTERM);
    EXPECT_EQ(daemon_->Wait(), 0);
  }

  // The exit code; what was written is in `said_`. Standard input is no terminal.
  std::optional<int> Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {EDGEMOE_PROGRAM, "--socket", socket_});
    ChildProcess client(
        arguments,
        {.input = "", .environment = {{"HF_ENDPOINT", hub_.origin()}, {"HF_TOKEN", "hf_x"}}});
    const std::optional<int> code = client.Wait();
    said_ = client.output() + client.errors();
    return code;
  }
  std::optional<int> Prepare(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"setup", "--no-start", "--config-folder", folder_ / "c.d"});
    return Run(std::move(arguments));
  }
  void Reload() {
    daemon_->Signal(SIGHUP);
    ASSERT_TRUE(daemon_->WaitForErrors("serving ")) << daemon_->errors();
  }

  FaultyHub hub_;
  TempFolder folder_;
  const std::string models_ = folder_ / "models";
  const std::string config_ = folder_ / "c.json";
  const std::string socket_ = folder_ / "s.sock";
  std::string said_;
  std::optional<ChildProcess> daemon_;
};

TEST_F(E2eSetupTest, WithoutAModelTheClientSaysWhatToDo) {
  EXPECT_NE(Run({"chat", "--message", "Hello"}), 0);
  EXPECT_THAT(said_, HasSubstr("`edgemoe setup` chooses a model"));
  EXPECT_EQ(Run({"stats"}), 0);
  EXPECT_THAT(said_, HasSubstr("no model"));
  EXPECT_EQ(Run({"models"}), 0);
}

TEST_F(E2eSetupTest, TheRecommendedModelIsDownloadedAndServed) {
  EXPECT_EQ(Prepare({"--yes", "--budget", "64MiB"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("cores"));
  EXPECT_THAT(said_, HasSubstr("   1  gone"));
  EXPECT_THAT(said_, HasSubstr("*  2  short"));
  const std::string drop_in = ReadFile(folder_ / "c.d/50-setup.json");
  EXPECT_THAT(drop_in, HasSubstr(models_ + "/tiny-Q8_0.gguf"));
  EXPECT_THAT(drop_in, HasSubstr("\"budget\": 67108864"));
  ASSERT_NO_FATAL_FAILURE(Reload());
  EXPECT_EQ(Run({"complete", "-n", "2", "a"}), 0) << said_;

  // What is here is recommended from now on; the file is written anew.
  EXPECT_EQ(Prepare({"--yes"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("*  1  tiny-Q8_0"));
  EXPECT_THAT(ReadFile(folder_ / "c.d/50-setup.json"), testing::Not(HasSubstr("budget")));
}

TEST_F(E2eSetupTest, OneByName) {
  EXPECT_EQ(Prepare({"--model", "short"}), 0) << said_;
  ASSERT_NO_FATAL_FAILURE(Reload());
  EXPECT_EQ(Run({"models", "show", "tiny-Q8_0"}), 0) << said_;
}

TEST_F(E2eSetupTest, WhatCannotBeIsRefusedAndNothingIsWritten) {
  EXPECT_EQ(Prepare({}), 65) << said_;
  EXPECT_THAT(said_, HasSubstr("no terminal to ask on: --yes"));
  EXPECT_EQ(Prepare({"--model", "nothing"}), 68) << said_;
  EXPECT_NE(Prepare({"--model", "gone"}), 0);
  EXPECT_NE(Prepare({"--model", "short", "--budget", "1KiB"}), 0);
  EXPECT_THAT(said_, HasSubstr("the least that works"));
  EXPECT_FALSE(fs::exists(folder_ / "c.d"));
}

}  // namespace
}  // namespace edgemoe
