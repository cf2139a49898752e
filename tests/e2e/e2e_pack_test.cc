// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe pack` with a real daemon, and another daemon that serves what it wrote.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/e2e/answers.h"
#include "tests/support/daemon_process.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;
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
  ASSERT_EQ(pack.Wait(), 0) << pack.output() << pack.errors();
  std::string last;
  std::istringstream lines(pack.output());
  for (std::string line; std::getline(lines, line); last = line)
    EXPECT_TRUE(json::parse(line).contains("progress") || json::parse(line).contains("report"));
  const json report = json::parse(last)["report"];
  const auto packed = report["output_path"].get<std::string>();
  EXPECT_TRUE(packed.ends_with("/models/demo-pack.gguf")) << packed;
  EXPECT_EQ(report["file_bytes"], fs::file_size(packed));
  EXPECT_EQ(report["expert_count"], 32);

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
    const auto code = process.Wait();
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
    ASSERT_TRUE(process.WaitForOutput("progress"));
    process.Signal(SIGKILL);
    process.Wait();
  }
  ASSERT_TRUE(WaitUntil([&] {
    ChildProcess process(Command(daemon, {source_, "-o", output, "--overwrite"}));
    return process.Wait() == 0;
  }));
  ChildProcess whole(Command(daemon, {source_, "-o", folder_ / "models/w.gguf"}));
  ASSERT_EQ(whole.Wait(), 0);
  const auto bytes = [](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_TRUE(bytes(output) == bytes(folder_ / "models/w.gguf"));
  EXPECT_FALSE(fs::exists(output + ".partial"));
}

}  // namespace
}  // namespace edgemoe
