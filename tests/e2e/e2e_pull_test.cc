// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe pull` and `edgemoe models` with a real daemon, edgemoe-download and a hub on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

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

// Of a job that measures a model, under a sanitizer, too.
constexpr std::chrono::seconds kPackPatience{300};

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
                                 folder_ / "catalogue.json", "--models-others", "on"},
        DaemonProcess::Environment{
            {"PATH", EDGEMOE_DOWNLOAD_FOLDER ":" + std::string(path == nullptr ? "" : path)},
            {"OLLAMA_MODELS", ollama_},
            {"HOME", folder_.path()},
            {"XDG_CACHE_HOME", ""},
            {"LLAMA_CACHE", ""},
            {"HF_HOME", ""},
            {"HF_HUB_CACHE", ""}});
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
  const std::string ollama_ = folder_ / "ollama";
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
    EXPECT_THAT(client.errors(), HasSubstr("the pull goes on"));
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

// The client leaves before there is anything to pack.
TEST_F(E2ePullTest, PacksOnArrival) {
  const std::string model = models_ + "/tiny-Q8_0.gguf";
  const std::string pack = models_ + "/tiny-Q8_0-pack.gguf";
  {
    ChildProcess client(Command({"pull", "hf.co/org/tiny", "--pack", "6", "--rate-limit", "64KiB"}),
                        Environment());
    ASSERT_TRUE(client.WaitForErrors("tiny-Q8_0.gguf")) << daemon_->log();
    client.Signal(SIGINT);
    EXPECT_EQ(client.Wait(), 130);
  }
  EXPECT_TRUE(WaitUntil([&] { return fs::exists(pack); }, kPackPatience)) << daemon_->log();
  EXPECT_TRUE(ReadFile(model) == bytes_);

  // What is there is not written again.
  ASSERT_TRUE(WaitUntil([&] {
    return Run({"pull", "hf.co/org/tiny", "--pack", "6"}) == 0 &&
           said_.find(pack + ": was there already") != std::string::npos;
  })) << said_;
  EXPECT_THAT(said_, HasSubstr("was there already; its SHA-256 is right"));
  // What was there is packed, and shown from the first to the last.
  fs::remove(pack);
  ChildProcess client(Command({"pull", "hf.co/org/tiny", "--pack", "6", "--json"}), Environment());
  ASSERT_EQ(client.Wait(kPackPatience), 0) << client.output();
  std::vector<std::string> kinds;
  std::istringstream lines(client.output());
  for (std::string line; std::getline(lines, line);) {
    const json message = json::parse(line);
    if (kinds.empty() || kinds.back() != message.begin().key())
      kinds.push_back(message.begin().key());
    if (message.contains("packReport")) {
      EXPECT_EQ(message["packReport"]["outputPath"], pack);
    }
  }
  EXPECT_THAT(kinds, ElementsAre("report", "packProgress", "packReport"));
  EXPECT_TRUE(fs::exists(pack));
}

TEST_F(E2ePullTest, SaysWhyItDidNotPack) {
  EXPECT_EQ(Run({"pull", "hf.co/org/tiny", "--pack", "33"}), 65);
  EXPECT_THAT(said_, HasSubstr("bits: found 33"));
  EXPECT_THAT(NamesIn(models_), IsEmpty()) << "nothing was downloaded";
  // Less than there can be; the model is there all the same.
  EXPECT_NE(Run({"pull", "hf.co/org/tiny", "--size", "1KiB"}), 0);
  EXPECT_THAT(said_, HasSubstr("its SHA-256 is right"));
  EXPECT_THAT(said_, HasSubstr("is there, but not its pack, for which there is `edgemoe pack`"));
  EXPECT_TRUE(fs::exists(models_ + "/tiny-Q8_0.gguf"));
}

TEST_F(E2ePullTest, TakesWhatOtherProgramsKeep) {
  ChildProcess sum({"/usr/bin/env", "sha256sum", remote_});
  ASSERT_EQ(sum.Wait(), 0);
  const std::string blob = ollama_ + "/blobs/sha256-" + sum.output().substr(0, 64);
  fs::create_directories(ollama_ + "/blobs");
  fs::create_directories(ollama_ + "/manifests/registry.ollama.ai/library/tiny");
  WriteFile(blob, bytes_);
  WriteFile(ollama_ + "/manifests/registry.ollama.ai/library/tiny/8b",
            R"({"layers": [
      {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:)" +
                sum.output().substr(0, 64) + R"("}]})");
  ASSERT_EQ(Run({"pull", "hf.co/org/tiny"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("by a link to " + blob + ", was there already"));
  EXPECT_EQ(fs::read_symlink(models_ + "/tiny-Q8_0.gguf"), blob);
  EXPECT_THAT(hub_.Log("/resolve/"), IsEmpty());
  ASSERT_EQ(Run({"models", "ls"}), 0);
  EXPECT_THAT(said_, HasSubstr("tiny:8b"));
  EXPECT_THAT(said_, HasSubstr("tiny-Q8_0"));
  ASSERT_EQ(Run({"plan", "--model", "tiny:8b", "--context", "64"}), 0) << said_;
  EXPECT_EQ(Run({"models", "rm", "tiny:8b", "--yes"}), 65) << said_;
  // Its pack stands where ours do.
  ASSERT_EQ(Run({"pack", "tiny:8b"}), 0) << said_;
  EXPECT_TRUE(fs::exists(models_ + "/tiny-8b-pack.gguf"));
  ASSERT_EQ(Run({"models", "rm", "tiny-Q8_0", "--yes"}), 0) << said_;
  EXPECT_TRUE(fs::exists(blob));
  // Gone there, it is downloaded.
  ASSERT_EQ(Run({"pull", "hf.co/org/tiny"}), 0) << said_;
  fs::remove(blob);
  ASSERT_EQ(Run({"pull", "hf.co/org/tiny"}), 0) << said_;
  EXPECT_FALSE(fs::is_symlink(models_ + "/tiny-Q8_0.gguf"));
}

TEST_F(E2ePullTest, RefusesAnotherFileOfThisLength) {
  std::string other = bytes_;
  other.back() = static_cast<char>(other.back() ^ 1);
  WriteFile(models_ + "/tiny-Q8_0.gguf", other);
  EXPECT_EQ(Run({"pull", "hf.co/org/tiny"}), 73) << said_;
  EXPECT_THAT(said_, HasSubstr("SHA-256"));
  EXPECT_TRUE(ReadFile(models_ + "/tiny-Q8_0.gguf") == other);
}

// By what its file is called, and by the short name of it.
TEST_F(E2ePullTest, RunsTheLoadedModelByAnyOfItsNames) {
  fs::create_symlink(loaded_, models_ + "/tiny-Q4_0.gguf");
  for (const char* name : {"loaded", "loaded.gguf", "tiny-Q4_0", "short", "short:q4_0"}) {
    EXPECT_EQ(Run({"complete", "-m", name, "-n", "2", "hi"}), 0) << name << ": " << said_;
    EXPECT_EQ(Run({"tokenize", "-m", name, "hi"}), 0) << name << ": " << said_;
  }
  EXPECT_EQ(Run({"complete", "-m", "short:q8_0", "hi"}), 68) << said_;
  ASSERT_EQ(Run({"pull", "short"}), 0) << said_;
  EXPECT_EQ(Run({"complete", "-m", "short:q8_0", "hi"}), 68) << said_;
  EXPECT_THAT(said_, HasSubstr("which is not loaded"));
  // Of two files that it may be neither is removed.
  EXPECT_EQ(Run({"models", "rm", "short", "--yes"}), 65) << said_;
  EXPECT_THAT(said_, HasSubstr("one of \"tiny-Q4_0\", \"tiny-Q8_0\""));
  ASSERT_EQ(Run({"models", "rm", "short:q8_0", "--yes"}), 0) << said_;
  EXPECT_THAT(NamesIn(models_), ElementsAre("tiny-Q4_0.gguf"));
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
