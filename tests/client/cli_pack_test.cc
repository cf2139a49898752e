// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe pack` against a fake daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/client/fake_daemon.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::vector<json> Lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(json::parse(line));
  return lines;
}

class CliPackTest : public testing::Test {
 protected:
  struct Outcome {
    std::optional<int> code;
    std::string output;
    std::string errors;
  };
  Outcome Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), EDGEMOE_PROGRAM);
    ChildProcess process(arguments, {.input = {}, .environment = {{"EDGEMOE_SOCKET", socket_}}});
    const auto code = process.Wait();
    return {code, process.output(), process.errors()};
  }

  TempFolder folder_;
  std::string socket_ = folder_ / "d.sock";
  FakeDaemon daemon_{"unix:" + socket_};
};

// What is no file here, and does not look like one, is a model's name.
TEST_F(CliPackTest, TakesAModelsName) {
  const std::string here = std::filesystem::current_path().string();
  for (const auto& [typed, sent] : {std::pair<std::string, std::string>{"qwen3:30b", "qwen3:30b"},
                                    {"none.gguf", here + "/none.gguf"},
                                    {"./none", here + "/none"},
                                    {".", here + "/"}}) {
    ASSERT_EQ(Run({"pack", typed}).code, 0) << typed;
    EXPECT_EQ(daemon_.last_pack().source_path(), sent) << typed;
  }
}

TEST_F(CliPackTest, PassesEveryOption) {
  const Outcome outcome =
      Run({"pack", "--bits", "3.5", "--method", "edgemoe", "--granularity", "role", "--calibration",
           "text", "--plan", "--memory", "600MiB", "--overwrite", "in.gguf", "/out/p.gguf"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const std::string here = std::filesystem::current_path().string();
  const v1::PackRequest request = daemon_.last_pack();
  EXPECT_EQ(request.source_path(), here + "/in.gguf");
  EXPECT_EQ(request.output_path(), "/out/p.gguf");
  EXPECT_EQ(request.calibration_path(), here + "/text");
  EXPECT_EQ(request.bits(), 3.5);
  EXPECT_EQ(request.method(), v1::PACK_METHOD_EDGEMOE);
  EXPECT_EQ(request.granularity(), v1::PACK_GRANULARITY_PER_ROLE);
  EXPECT_TRUE(request.plan_only());
  EXPECT_TRUE(request.overwrite());
  EXPECT_EQ(request.memory_bytes(), 600u << 20);

  Run({"pack", "in.gguf", "--size", "12GiB"});
  EXPECT_EQ(daemon_.last_pack().size_bytes(), 12ULL << 30);
  EXPECT_EQ(daemon_.last_pack().method(), v1::PACK_METHOD_UNSPECIFIED);
  Run({"pack", "in.gguf", "--max-kl", "0.01"});
  EXPECT_EQ(daemon_.last_pack().max_kl(), 0.01);
  for (const char* share : {"1%", "0.01"}) {
    Run({"pack", "in.gguf", "--max-ppl-increase", share, "-o", "q.gguf"});
    EXPECT_EQ(daemon_.last_pack().max_ppl_increase(), 0.01);
    EXPECT_EQ(daemon_.last_pack().output_path(), here + "/q.gguf");
  }
}

TEST_F(CliPackTest, WithoutATargetItIsACopy) {
  daemon_.state().loading_calls = 1;
  const Outcome outcome = Run({"pack", "in.gguf", "/out/p.gguf"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(daemon_.last_pack().target_case(), v1::PackRequest::TARGET_NOT_SET);
  EXPECT_THAT(outcome.output, HasSubstr("/out/p.gguf: 0 B"));
  EXPECT_THAT(outcome.output, HasSubstr("source digest abc"));
}

TEST_F(CliPackTest, ReportsForPeopleAndPrograms) {
  const Outcome outcome = Run({"pack", "in.gguf", "p.gguf", "--bits", "4.25"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.errors, "edgemoe: 3 of 6: probing 42 %\n")
      << "a line where there is no terminal";
  for (const char* line :
       {"/p.gguf\n", "size         3.91 KiB -> 1000 B (25.0 %)", "bits/weight  16.00 -> 4.25",
        "KL           0.0097, expected 0.0123; 99 % of tokens below 0.0843",
        "perplexity   4.0000 -> 4.0200 (+0.50 %)", "same top     97.30 % of 8192 tokens",
        "method       sensitivity; 2 layers of 8 experts",
        "measured on  16384 tokens, with 57 probes",
        "never used   3 experts: counted as the mean of their layer's",
        "matrices     Q4_K 18, Q8_0 4", "        3.00 MiB       3.00        0.0333\n",
        "report       /models/p.report.json"})
    EXPECT_THAT(outcome.output, HasSubstr(line));
  const auto lines = Lines(Run({"pack", "in.gguf", "p.gguf", "--bits", "4.25", "--json"}).output);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["progress"]["phase"], "PACK_PHASE_PROBING");
  EXPECT_FALSE(lines[0]["progress"].contains("plannedKl"));
  const json& report = lines[1]["report"];
  EXPECT_EQ(report["method"], "PACK_METHOD_SENSITIVITY");
  EXPECT_EQ(report["quality"]["meanKl"], 0.0097);
  EXPECT_EQ(report["rows"].size(), 14u);
  EXPECT_FALSE(report["rows"][12].contains("layer"));
  EXPECT_EQ(report["rows"][0]["types"][0]["type"], "Q4_K");

  const Outcome plan = Run({"pack", "in.gguf", "p.gguf", "--bits", "4.25", "--plan"});
  EXPECT_THAT(plan.output, HasSubstr("p.gguf, a plan: nothing was written\n"));
  EXPECT_THAT(plan.output, HasSubstr("expected KL  0.0123"));
  EXPECT_THAT(plan.output, Not(HasSubstr("perplexity")));
}

TEST_F(CliPackTest, ErrorsAreForPeople) {
  const auto fails = [&](std::vector<std::string> words, int code, const char* text) {
    words.insert(words.begin(), "pack");
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.code, code) << outcome.output;
    EXPECT_THAT(outcome.errors, HasSubstr(text));
  };
  fails({}, 64, "source");
  fails({"in.gguf", "--bits", "3", "--size", "1GiB"}, 64, "excludes");
  fails({"in.gguf", "--bits", "few"}, 64, "few");
  fails({"in.gguf", "--size", "big"}, 64, "found \"big\"");
  fails({"in.gguf", "--memory", "-1"}, 64, "found \"-1\"");
  fails({"in.gguf", "--max-ppl-increase", "1%%"}, 64, "found 1%%");
  fails({"in.gguf", "--method", "magic"}, 64, "copy, edgemoe, sensitivity, uniform, found magic");
  fails({"in.gguf", "--granularity", "layer"}, 64, "expert, role, found layer");
  fails({"refused.gguf", "--bits", "1"}, 65, "at least 2.06 can be had");
}

}  // namespace
}  // namespace edgemoe
