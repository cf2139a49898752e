// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe pack` with a real daemon, and another daemon that serves what it wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

const std::string kDemo = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";

class E2ePackTest : public testing::Test {
 protected:
  E2ePackTest() {
    fs::create_directory(folder_ / "models");
    fs::copy_file(kDemo, source_);
  }

  DaemonProcess Daemon(const std::string& name, const std::vector<std::string>& flags) const {
    return DaemonProcess(folder_ / (name + ".sock"), flags);
  }

  std::vector<std::string> Command(const DaemonProcess& daemon,
                                   const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {EDGEMOE_PROGRAM, "--socket", daemon.socket(), "pack"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }

  TempFolder folder_;
  std::string source_ = folder_ / "models/demo.gguf";
};

TEST_F(E2ePackTest, APackServesTheSameTokens) {
  DaemonProcess first = Daemon("first", {"--expert-budget", "12MiB"});
  ASSERT_TRUE(first.WaitReady()) << first.log();
  ChildProcess pack(Command(first, {source_, "--json"}));
  ASSERT_EQ(pack.Wait(kJobPatience), 0) << pack.output() << pack.errors();
  std::string last;
  std::istringstream lines(pack.output());
  for (std::string line; std::getline(lines, line); last = line)
    EXPECT_TRUE(json::parse(line).contains("progress") || json::parse(line).contains("report"));
  const json report = json::parse(last)["report"];
  const auto packed = report["outputPath"].get<std::string>();
  EXPECT_TRUE(packed.ends_with("/models/demo-pack.gguf")) << packed;
  EXPECT_EQ(Number(report["fileBytes"]), fs::file_size(packed));
  EXPECT_EQ(report["expertCount"], 32);

  // Experts are read again and again, in one daemon from the stock file, in the other from the
  // pack.
  DaemonProcess second =
      Daemon("second", {"--expert-budget", "12MiB", "--model", packed, "--context-tokens", "512"});
  ASSERT_TRUE(second.WaitReady()) << second.log();
  client::Client stock = first.Connect();
  client::Client from_pack = second.Connect();
  for (const char* prompt : {"Once upon a time", "The cat and the dog"}) {
    const ReceivedAnswer expected = Receive(stock.Complete(Greedy(prompt, 48)));
    const ReceivedAnswer found = Receive(from_pack.Complete(Greedy(prompt, 48)));
    ASSERT_TRUE(expected.status.ok() && found.status.ok()) << found.status.ToString();
    EXPECT_EQ(expected.tokens, found.tokens);
    EXPECT_GT(found.finished.io().bytes_read(), 0u);
  }
  EXPECT_EQ(second.Stop(), 0);
}

TEST_F(E2ePackTest, RefusalsAreForPeople) {
  DaemonProcess daemon = Daemon("d", {});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const auto run = [&](const std::vector<std::string>& arguments) {
    ChildProcess process(Command(daemon, arguments));
    const auto code = process.Wait(kJobPatience);
    return std::pair(code, process.errors());
  };
  EXPECT_EQ(run({source_, "-o", folder_ / "models/p.gguf"}).first, 0);
  const auto exists = run({source_, "-o", folder_ / "models/p.gguf"});
  EXPECT_NE(exists.first, 0);
  EXPECT_THAT(exists.second, HasSubstr("ALREADY_EXISTS"));
  EXPECT_THAT(exists.second, HasSubstr("p.gguf"));
  EXPECT_EQ(run({source_, "-o", folder_ / "models/p.gguf", "--overwrite"}).first, 0);
  EXPECT_EQ(run({source_, "-o", folder_ / "p.gguf"}).first, 77);
  EXPECT_EQ(run({folder_ / "models/p.gguf", "-o", folder_ / "models/q.gguf"}).first, 65);
  EXPECT_EQ(run({folder_ / "models/none.gguf"}).first, 68);
  EXPECT_EQ(run({}).first, 64);
}

// The model is larger than what a client manages to see of it before it is killed only where the
// disk is slow: either way nothing unfinished has the output's name, and the next run completes it.
TEST_F(E2ePackTest, AKilledClientLeavesNothingHalf) {
  DaemonProcess daemon = Daemon("d", {});
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const std::string output = folder_ / "models/p.gguf";
  {
    ChildProcess process(Command(daemon, {source_, "-o", output, "--json"}));
    ASSERT_TRUE(process.WaitForOutput("progress", kJobPatience));
    process.Signal(SIGKILL);
    process.Wait(kJobPatience);
  }
  ASSERT_TRUE(WaitUntil(
      [&] {
        ChildProcess process(Command(daemon, {source_, "-o", output, "--overwrite"}));
        return process.Wait(kJobPatience) == 0;
      },
      kJobPatience));
  ChildProcess whole(Command(daemon, {source_, "-o", folder_ / "models/w.gguf"}));
  ASSERT_EQ(whole.Wait(kJobPatience), 0);
  const auto bytes = [](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_TRUE(bytes(output) == bytes(folder_ / "models/w.gguf"));
  EXPECT_FALSE(fs::exists(output + ".partial"));
}

// Jobs with a target, on a model and a text that take a second or two; under a sanitizer, where
// they take half a minute, fewer of them.
class E2eTargetTest : public E2ePackTest {
 protected:
  E2eTargetTest() {
    EXPECT_TRUE(WriteTinyModel(tiny_, {.width = 256,
                                       .head_size = 64,
                                       .expert_width = 256,
                                       .context_length = 512,
                                       .dense_type = TensorType::kF16,
                                       .gate_type = TensorType::kF16,
                                       .up_type = TensorType::kF16,
                                       .down_type = TensorType::kF16})
                    .ok());
    std::ofstream text(text_);
    for (int i = 0; i < 40; ++i)
      text << "Line " << i << ": the man in the van ran " << i * i << ".\n";
  }

  DaemonProcess TinyDaemon(const std::string& name) const {
    return Daemon(name, {"--model", tiny_, "--context-tokens", "256", "--memory-budget", "400MiB"});
  }

  std::string Output(const std::string& name) const { return folder_ / ("models/" + name); }

  std::vector<std::string> Target(const std::string& output,
                                  const std::vector<std::string>& more = {"--bits", "4.5"}) const {
    std::vector<std::string> arguments = {tiny_, output, "--calibration", text_, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static std::string Bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  static std::vector<std::string> Names(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
      names.push_back(entry.path().filename());
    return names;
  }

  const std::string tiny_ = folder_ / "models/tiny.gguf";
  const std::string text_ = folder_ / "text";
};

TEST_F(E2eTargetTest, IsMetAndThePackAnswers) {
  DaemonProcess daemon = TinyDaemon("d");
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const std::string packed = Output("p.gguf");
  ChildProcess pack(Command(daemon, Target(packed)));
  ASSERT_EQ(pack.Wait(kJobPatience), 0) << pack.output() << pack.errors();
  std::vector<std::string> phases;
  json last;
  std::istringstream lines(pack.output());
  for (std::string line; std::getline(lines, line);) {
    last = json::parse(line);
    if (!last.contains("progress")) continue;
    const json& progress = last["progress"];
    EXPECT_LE(Number(progress["done"]), Number(progress["total"]));
    const auto phase = progress["phase"].get<std::string>();
    if (phases.empty() || phases.back() != phase) phases.push_back(phase);
  }
  // A message may be replaced by the next one before it is sent, but none is out of order.
  const std::vector<std::string> order = {"PACK_PHASE_CALIBRATING", "PACK_PHASE_MEASURING",
                                          "PACK_PHASE_PROBING",     "PACK_PHASE_COPYING",
                                          "PACK_PHASE_VERIFYING",   "PACK_PHASE_FINISHING"};
  auto at = order.begin();
  for (const std::string& phase : phases) {
    at = std::find(at, order.end(), phase);
    ASSERT_NE(at, order.end()) << phase << " in " << testing::PrintToString(phases);
  }
  const json& report = last["report"];
  EXPECT_EQ(report["method"], "PACK_METHOD_SENSITIVITY");
  EXPECT_EQ(Number(report["fileBytes"]), fs::file_size(packed));
  EXPECT_LE(report["bits"], 4.5);
  EXPECT_GT(report["bits"], 3.5);
  EXPECT_GT(report["quality"]["meanKl"], 0);
  EXPECT_GT(Number(report["quality"]["tokens"]), 0U);
  EXPECT_GE(Number(report["calibrationTokens"]), 512U);
  EXPECT_GT(report["curve"].size(), 2u);
  EXPECT_EQ(report["reportPath"], Output("p.report.json"));
  const json kept = json::parse(Bytes(Output("p.report.json")));
  EXPECT_EQ(kept["bits"], report["bits"]);
  EXPECT_EQ(kept["rows"].size(), report["rows"].size());
  EXPECT_THAT(Names(folder_ / "models"),
              testing::UnorderedElementsAre("demo.gguf", "tiny.gguf", "p.gguf", "p.report.json"));
  EXPECT_THAT(daemon.log(), HasSubstr("of the memory budget until it ends"));
  EXPECT_EQ(daemon.Connect().GetStats()->memory().budget_bytes(), std::uint64_t{400} << 20);

  DaemonProcess second = Daemon("second", {"--model", packed, "--context-tokens", "256"});
  ASSERT_TRUE(second.WaitReady()) << second.log();
  client::Client from_pack = second.Connect();
  const ReceivedAnswer answer = Receive(from_pack.Complete(Greedy("the man", 8)));
  EXPECT_TRUE(answer.status.ok()) << answer.status.ToString();
  EXPECT_FALSE(answer.tokens.empty());
}

TEST_F(E2eTargetTest, EveryKindOfTargetAndMethod) {
  DaemonProcess daemon = TinyDaemon("d");
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const auto run = [&](const std::vector<std::string>& more) {
    ChildProcess process(Command(daemon, Target(Output("p.gguf"), more)));
    EXPECT_TRUE(process.Wait(kJobPatience));
    std::istringstream lines(process.output());
    json last;
    for (std::string line; std::getline(lines, line);) last = json::parse(line);
    return last.contains("error") ? last["error"] : last["report"];
  };
  const json plan = run({"--size", "2MiB", "--plan"});
  EXPECT_LE(Number(plan["fileBytes"]), 2U << 20) << plan;
  EXPECT_TRUE(plan["planOnly"]);
  EXPECT_FALSE(fs::exists(Output("p.gguf")));
  EXPECT_FALSE(fs::exists(Output("p.report.json")));
  for (const char* method : {"uniform", "edgemoe"}) {
    if (kSanitized) break;
    const json report = run({"--bits", "5.6", "--method", method, "--overwrite"});
    EXPECT_LE(report["bits"], 5.6) << report;
    EXPECT_EQ(Number(report["fileBytes"]), fs::file_size(Output("p.gguf")));
  }
  if (!kSanitized) {
    const json loss = run({"--max-kl", "0.01", "--granularity", "role", "--overwrite"});
    EXPECT_LE(loss["quality"]["meanKl"], 0.01) << loss;
  }
  EXPECT_EQ(run({"--size", "20KiB", "--overwrite"})["code"], "OUT_OF_RANGE");
  EXPECT_EQ(run({"--bits", "33", "--overwrite"})["code"], "INVALID_ARGUMENT");
  const json small = run({"--bits", "4", "--memory", "1KiB", "--overwrite"});
  EXPECT_EQ(small["code"], "INVALID_ARGUMENT");
  EXPECT_THAT(small["message"].get<std::string>(), HasSubstr("memory_bytes"));
  std::ofstream(text_).close();
  EXPECT_EQ(run({"--bits", "4", "--overwrite"})["code"], "INVALID_ARGUMENT") << "an empty text";
}

// Killed in one phase after another; each time the next daemon goes on.
TEST_F(E2eTargetTest, AKilledDaemonsJobEndsInTheSameBytes) {
  const std::string whole = Output("w.gguf");
  {
    DaemonProcess daemon = TinyDaemon("whole");
    ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
    ChildProcess process(Command(daemon, Target(whole)));
    ASSERT_EQ(process.Wait(kJobPatience), 0) << process.output();
  }
  const std::string output = Output("p.gguf");
  int run = 0;
  for (const char* phase : {"PACK_PHASE_CALIBRATING", "PACK_PHASE_MEASURING", "PACK_PHASE_PROBING",
                            "PACK_PHASE_COPYING"}) {
    if (kSanitized && std::string_view(phase) != "PACK_PHASE_MEASURING") continue;
    DaemonProcess daemon = TinyDaemon("k" + std::to_string(run++));
    ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
    ChildProcess process(Command(daemon, Target(output)));
    process.WaitForOutput(phase, kJobPatience);
    daemon.process().Signal(SIGKILL);
    EXPECT_EQ(daemon.process().Wait(), 128 + SIGKILL);
    const auto code = process.Wait(kJobPatience);
    // Whoever was quicker than the kill is done.
    EXPECT_TRUE(code == 69 || fs::exists(output)) << code.value_or(-1) << process.output();
    if (fs::exists(output)) break;
  }
  DaemonProcess daemon = TinyDaemon("last");
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  if (!fs::exists(output)) {
    ChildProcess process(Command(daemon, Target(output)));
    ASSERT_EQ(process.Wait(kJobPatience), 0) << process.output();
  }
  EXPECT_TRUE(Bytes(output) == Bytes(whole));
}

TEST_F(E2eTargetTest, ACancelledJobMakesWayAndGoesOn) {
  DaemonProcess daemon = TinyDaemon("d");
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  const std::string output = Output("p.gguf");
  {
    // The demo takes long enough.
    ChildProcess process(Command(daemon, {source_, output, "--bits", "4.5", "--json"}));
    ASSERT_TRUE(process.WaitForOutput("progress", kJobPatience)) << process.output();
    ChildProcess second(Command(daemon, Target(Output("q.gguf"))));
    EXPECT_EQ(second.Wait(kJobPatience), 65);
    EXPECT_THAT(second.output(), HasSubstr("FAILED_PRECONDITION"));
    EXPECT_THAT(second.output(), HasSubstr("p.gguf"));
    process.Signal(SIGINT);
    EXPECT_EQ(process.Wait(kJobPatience), 130);
  }
  EXPECT_TRUE(WaitUntil(
      [&] {
        ChildProcess process(Command(daemon, Target(Output("q.gguf"))));
        return process.Wait(kJobPatience) == 0;
      },
      kJobPatience));
  EXPECT_FALSE(fs::exists(output));
  EXPECT_EQ(daemon.Connect().GetStats()->memory().budget_bytes(), std::uint64_t{400} << 20);
}

TEST_F(E2eTargetTest, AStoppedDaemonEndsItsJob) {
  DaemonProcess daemon = TinyDaemon("d");
  ASSERT_TRUE(daemon.WaitReady()) << daemon.log();
  ChildProcess process(
      Command(daemon, {source_, Output("p.gguf"), "--max-ppl-increase", "1%", "--json"}));
  ASSERT_TRUE(process.WaitForOutput("progress", kJobPatience)) << process.output();
  EXPECT_EQ(daemon.Stop(kJobPatience), 0) << daemon.log();
  EXPECT_NE(process.Wait(kJobPatience), 0) << process.output();
  EXPECT_THAT(daemon.log(), Not(HasSubstr("memory budget stays")));
  EXPECT_FALSE(fs::exists(Output("p.gguf")));
}

}  // namespace
}  // namespace edgemoe
