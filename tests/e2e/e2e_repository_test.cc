// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe models show` of what is not here yet, with a real daemon, edgemoe-download and a hub on
// loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/download/faulty_hub.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/split_model.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

// Weights of one type.
TinyModelOptions Of(TensorType type) {
  return {.expert_count = 32,
          .dense_type = type,
          .gate_type = type,
          .up_type = type,
          .down_type = type};
}

class E2eRepositoryTest : public testing::Test {
 protected:
  E2eRepositoryTest() {
    fs::create_directory(models_);
    EXPECT_TRUE(WriteTinyModel(loaded_, {}).ok());
    for (const auto& [quant, type] : {std::pair("Q4_0", TensorType::kQ4_0),
                                      {"Q8_0", TensorType::kQ8_0},
                                      {"F16", TensorType::kF16}}) {
      const std::string local = folder_ / "local.gguf";
      EXPECT_TRUE(WriteTinyModel(local, Of(type)).ok());
      hub_.Add("org/tiny", "tiny-" + std::string(quant) + ".gguf", ReadFile(local));
    }
    const std::vector<std::string> parts = SplitModelHeaders(Of(TensorType::kF32), 2);
    hub_.Add("org/tiny", "F32/tiny-F32-00001-of-00002.gguf", parts[0]);
    hub_.Add("org/tiny", "F32/tiny-F32-00002-of-00002.gguf", parts[1]);
    hub_.Add("org/tiny", "tiny-IQ1_S.gguf", "this is no model");
    std::string other = ReadFile(folder_ / "local.gguf");
    other.replace(other.find("qwen3moe"), 8, "newmodel");
    hub_.Add("org/tiny", "tiny-MXFP4.gguf", other);
    WriteFile(folder_ / "catalogue.json", R"({"models": [
        {"name": "short", "repository": "org/tiny", "licence": "MIT", "file": "tiny",
         "quant": {"4GB": "Q8_0", "8GB": "Q8_0", "16GB": "Q8_0"}}]})");
  }

  void StartDaemon(std::vector<std::string> flags = {}) {
    const char* const path = std::getenv("PATH");
    flags.insert(flags.begin(),
                 {"--model", loaded_, "--context-tokens", "128", "--models-directory", models_,
                  "--download-socket", folder_ / "none.sock", "--models-catalogue",
                  folder_ / "catalogue.json"});
    daemon_.emplace(
        folder_ / "s.sock", flags,
        DaemonProcess::Environment{
            {"PATH", EDGEMOE_DOWNLOAD_FOLDER ":" + std::string(path == nullptr ? "" : path)}});
    ASSERT_TRUE(daemon_->WaitReady()) << daemon_->log();
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
  // Each line of the last run's output with a model, by quant; the recommendation by "".
  std::map<std::string, json> Answers() const {
    std::map<std::string, json> answers;
    std::istringstream lines(said_);
    for (std::string line; std::getline(lines, line);) {
      json message = json::parse(line);
      if (message.contains("model")) {
        answers[message["model"]["quant"]] = message["model"];
      } else {
        answers[""] = message["recommendation"];
      }
    }
    return answers;
  }

  FaultyHub hub_;
  TempFolder folder_;
  const std::string models_ = folder_ / "models";
  const std::string loaded_ = folder_ / "loaded.gguf";
  std::string said_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(E2eRepositoryTest, PlansEveryQuant) {
  StartDaemon();
  ASSERT_EQ(Run({"models", "show", "hf.co/org/tiny", "--json"}), 0) << said_ << daemon_->log();
  std::map<std::string, json> answers = Answers();
  EXPECT_EQ(answers.size(), 7u);
  for (const char* quant : {"Q4_0", "Q8_0", "F16", "F32"}) {
    const json& model = answers[quant];
    EXPECT_EQ(model["model"]["state"], "MODEL_STATE_AVAILABLE") << quant << said_;
    EXPECT_EQ(model["model"]["architecture"], "qwen3moe");
    EXPECT_TRUE(model["plan"]["fits"].get<bool>());
    EXPECT_EQ(model["plan"]["modelFileBytes"], model["bytes"]);
    EXPECT_EQ(model["expertShare"], 1);
    EXPECT_TRUE(model["fitsStorage"].get<bool>());
    EXPECT_EQ(model["pullName"], "hf.co/org/tiny:" + std::string(quant));
  }
  EXPECT_GT(answers["F32"]["bitsPerWeight"], 31);
  EXPECT_EQ(answers["F32"]["files"].size(), 2u);
  EXPECT_EQ(answers["Q4_0"]["files"][0]["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(answers["IQ1_S"]["model"]["state"], "MODEL_STATE_BROKEN");
  EXPECT_FALSE(answers["IQ1_S"].contains("plan"));
  EXPECT_EQ(answers["MXFP4"]["model"]["architecture"], "newmodel");
  const auto error = answers["MXFP4"]["model"]["error"].get<std::string>();
  EXPECT_THAT(error, HasSubstr("newmodel"));
  EXPECT_THAT(error, testing::Not(HasSubstr(models_))) << "it is not there any more";
  EXPECT_EQ(answers[""]["pullName"], "hf.co/org/tiny:Q8_0");
  EXPECT_EQ(hub_.Log("/resolve/").front()["Authorization"], "Bearer hf_x");
  EXPECT_TRUE(fs::is_empty(models_)) << "nothing was downloaded";

  ASSERT_EQ(Run({"models", "show", "hf.co/org/tiny"}), 0);
  EXPECT_THAT(said_, HasSubstr("\nQ8_0 "));
  EXPECT_THAT(said_, HasSubstr("cannot be used: "));
  EXPECT_THAT(said_, HasSubstr("recommended: hf.co/org/tiny:Q8_0\n"));
  RecordProperty("terminal", said_);

  // One of them; a short name, which no model here has yet, and then one has; a URL.
  ASSERT_EQ(Run({"models", "show", "hf.co/org/tiny:q4_0", "--json"}), 0);
  EXPECT_EQ(Answers().size(), 2u);
  ASSERT_EQ(Run({"models", "show", "short", "--json"}), 0) << said_;
  EXPECT_EQ(Answers().size(), 7u);
  ASSERT_EQ(Run({"models", "show", hub_.origin() + "/cdn/org/tiny/tiny-Q4_0.gguf"}), 0) << said_;
  ASSERT_EQ(Run({"pull", answers[""]["pullName"].get<std::string>()}), 0) << said_;
  ASSERT_EQ(Run({"models", "show", "short"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr(models_ + "/tiny-Q8_0.gguf"));
}

TEST_F(E2eRepositoryTest, SaysWhatDoesNotFit) {
  StartDaemon({"--memory-budget", "640KiB"});
  EXPECT_EQ(Run({"models", "show", "hf.co/org/tiny:F32", "--json"}), 1) << said_;
  EXPECT_FALSE(Answers()["F32"]["plan"]["fits"].get<bool>());
  EXPECT_THAT(Answers()["F32"]["plan"]["explanation"].get<std::string>(),
              HasSubstr("memory.budget"));
  EXPECT_THAT(Answers()[""]["reason"].get<std::string>(), HasSubstr("least memory budget"));
}

TEST_F(E2eRepositoryTest, RunsBesideADownload) {
  StartDaemon();
  hub_.Script("org/tiny", {{"file", {{{"stall", 5000}}}}});
  ChildProcess pull(Command({"pull", "hf.co/org/tiny:F16"}), Environment());
  ASSERT_TRUE(pull.WaitForErrors("tiny-F16.gguf")) << daemon_->log();
  ASSERT_EQ(Run({"models", "show", "hf.co/org/tiny", "--json"}), 0) << said_;
  EXPECT_EQ(Answers().size(), 7u);
  EXPECT_EQ(Run({"pull", "--cancel"}), 0) << said_;
}

TEST_F(E2eRepositoryTest, LeavesNothingWhenTheClientDoes) {
  StartDaemon();
  hub_.Script(
      "org/tiny",
      {{"file",
        {json::object(), json::object(), {{"stall", 500}}, json::object(), {{"stall", 500}}}}});
  {
    ChildProcess client(Command({"models", "show", "hf.co/org/tiny"}), Environment());
    ASSERT_TRUE(client.WaitForOutput("IQ1_S")) << daemon_->log();
    EXPECT_FALSE(fs::is_empty(models_));
    // It is not a model.
    ASSERT_EQ(Run({"models"}), 0);
    EXPECT_THAT(said_, testing::Not(HasSubstr("tiny")));
    client.Signal(SIGINT);
    EXPECT_EQ(client.Wait(), 130);
  }
  EXPECT_TRUE(WaitUntil([this] { return fs::is_empty(models_); }));
  // Nor when the daemon is killed, once the next one has looked.
  {
    ChildProcess client(Command({"models", "show", "hf.co/org/tiny"}), Environment());
    ASSERT_TRUE(client.WaitForOutput("IQ1_S")) << daemon_->log();
    daemon_->process().Signal(SIGKILL);
    EXPECT_EQ(client.Wait(), 69);
  }
  EXPECT_FALSE(fs::is_empty(models_));
  StartDaemon();
  ASSERT_EQ(Run({"models", "show", "hf.co/org/tiny"}), 0) << said_;
  EXPECT_TRUE(WaitUntil([this] { return fs::is_empty(models_); }));
}

TEST_F(E2eRepositoryTest, SaysWhatIsWrong) {
  StartDaemon();
  EXPECT_EQ(Run({"models", "show", "hf.co/org/none"}), 68) << said_;
  EXPECT_EQ(Run({"models", "show", "hf.co/org"}), 65) << said_;
  EXPECT_EQ(Run({"models", "show", "hf.co/org/tiny:Q9_9"}), 68) << said_;
  EXPECT_THAT(said_, HasSubstr("Q8_0"));
  EXPECT_EQ(Run({"models", "show", "other"}), 68) << said_;
  hub_.Script("org/tiny", {{"api", {{{"status", 401}}}}});
  EXPECT_EQ(Run({"models", "show", "hf.co/org/tiny"}), 77) << said_;
  EXPECT_THAT(said_, HasSubstr("HF_TOKEN"));
  EXPECT_TRUE(WaitUntil([this] { return fs::is_empty(models_); }));
}

}  // namespace
}  // namespace edgemoe
