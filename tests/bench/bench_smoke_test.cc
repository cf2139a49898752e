// SPDX-License-Identifier: Apache-2.0
//
// Each command once, on a model of milliseconds, and on the demo model where it is: the fields that
// programs rely on are there. What they hold is for people to judge.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"
#include "tests/support/recorded_trace.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Ended {
  int code = -1;
  std::string output;
  std::string errors;
};

Ended RunBench(std::vector<std::string> words) {
  words.insert(words.begin(), BENCH_PROGRAM);
  ChildProcess process(words);
  const std::optional<int> code = process.Wait();
  return {code.value_or(-1), process.output(), process.errors()};
}

json RunForJson(std::vector<std::string> words) {
  words.insert(words.end(), {"--json", "-"});
  const Ended ended = RunBench(words);
  EXPECT_EQ(ended.code, 0) << ended.errors;
  json result = json::parse(ended.output, nullptr, false);
  EXPECT_TRUE(result.is_object()) << ended.output;
  return result;
}

void ExpectFields(const json& object, const std::vector<std::string>& names) {
  for (const std::string& name : names) EXPECT_TRUE(object.contains(name)) << name;
}

std::string DemoModel() {
  const std::string path = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";
  return std::filesystem::exists(path) ? path : "";
}

class BenchSmokeTest : public testing::Test {
 protected:
  std::string model() const { return DemoModel().empty() ? file_.path() : DemoModel(); }
  const TestFile file_{TinyModelBytes({.layer_count = 3, .expert_count = 16, .expert_width = 256})};
};

TEST_F(BenchSmokeTest, Decode) {
  const json result =
      RunForJson({"decode", "-m", model(), "-n", "4", "--runs", "2", "--expert-budget", "50%",
                  "--policy", "lru,lfru", "--predictor", "none", "--warmup", "2"});
  ExpectFields(result, {"command", "command_line", "version", "machine", "model", "storage",
                        "settings", "same_tokens", "results"});
  EXPECT_EQ(result["same_tokens"], true);
  ASSERT_EQ(result["results"].size(), 2u);
  for (const json& one : result["results"]) {
    ExpectFields(one, {"mode", "policy", "predictor", "storage", "budget_bytes", "expert_bytes",
                       "tok_per_s", "token_gap_p50_s", "token_gap_p95_s", "token_gap_p99_s",
                       "time_to_first_token_s", "hit_rate", "bytes_per_token", "storage_wait_share",
                       "storage_share_while_waiting", "cpu_s_per_token", "runs"});
    EXPECT_GT(one["tok_per_s"], 0);
    ASSERT_EQ(one["runs"].size(), 2u);
    EXPECT_EQ(one["runs"][0]["tokens"], 4);
  }
}

TEST_F(BenchSmokeTest, Prefill) {
  const json result = RunForJson({"prefill", "-m", model(), "--chunks", "8,16", "--prompt-tokens",
                                  "20", "--runs", "1", "--expert-budget", "50%"});
  EXPECT_EQ(result["prompt_tokens"], 20);
  ASSERT_EQ(result["results"].size(), 2u);
  for (const json& one : result["results"]) {
    ExpectFields(one, {"prefill_chunk_tokens", "prompt_tok_per_s", "time_to_first_token_s",
                       "hit_rate", "bytes_per_token", "storage_wait_share"});
    EXPECT_GT(one["prompt_tok_per_s"], 0);
  }
}

TEST_F(BenchSmokeTest, Speed) {
  const json result = RunForJson({"speed", "-m", file_.path(), "-n", "4", "--warmup", "4", "--runs",
                                  "2", "--expert-budget", "50%,100%"});
  ASSERT_EQ(result["results"].size(), 2u);
  for (const json& one : result["results"]) {
    EXPECT_GT(one["median_expected_over_measured"], 0);
    ASSERT_EQ(one["pairs"].size(), 2u);
    ExpectFields(one["pairs"][0],
                 {"expected_tok_per_s", "expected_low_tok_per_s", "expected_high_tok_per_s",
                  "expected_bound", "expected_hit_rate", "expected_bytes_per_token", "tok_per_s",
                  "hit_rate", "bytes_per_token", "expected_over_measured"});
  }
  EXPECT_EQ(result["results"][1]["pairs"][0]["expected_bound"], "computing");
}

TEST_F(BenchSmokeTest, Io) {
  const json result = RunForJson({"io", model(), "--io-backend", "pread"});
  ExpectFields(result["storage"], {"bytes_per_second", "read_bytes", "depth", "in_flight_bytes_max",
                                   "small_read_ns", "points", "note"});
  EXPECT_GT(result["storage"]["points"].size(), 0u);
}

// The tiny model, for whole layers of the demo model take long on a slow card.
TEST_F(BenchSmokeTest, Baselines) {
  const json result = RunForJson({"baselines", "-m", file_.path(), "-n", "4", "--runs", "1",
                                  "--storage", "real,sata", "--storage-scale", "1", "--mode",
                                  "edgemoe,resident,on-demand,layer-stream,mmap"});
  EXPECT_EQ(result["same_tokens"], true);
  EXPECT_EQ(result["results"].size(), 2u * 4 + 1);
  EXPECT_EQ(result["notes"].size() >= 1, true) << "mmap is left out on sata";
  ASSERT_EQ(result["ratios"].size(), 2u);
  for (const json& one : result["ratios"]) {
    EXPECT_GT(one["over_on-demand"], 0);
    EXPECT_GT(one["over_layer-stream"], 0);
    EXPECT_GT(one["over_resident"], 0);
  }
  EXPECT_TRUE(result["ratios"][0].contains("over_mmap"));
  EXPECT_FALSE(result["ratios"][1].contains("over_mmap"));
}

TEST_F(BenchSmokeTest, BaselinesOfSeveralFiles) {
  const TestFile other(TinyModelBytes({.expert_width = 128}));
  const json result =
      RunForJson({"baselines", "-m", file_.path() + "," + other.path(), "-n", "4", "--runs", "1",
                  "--storage", "real", "--expert-budget", "60%", "--mode", "edgemoe,on-demand"});
  EXPECT_EQ(result["same_tokens"], true);
  ASSERT_EQ(result["results"].size(), 4u);
  EXPECT_EQ(result["results"][2]["file"], other.path());
  ASSERT_EQ(result["ratios"].size(), 4u);
  std::set<std::pair<std::string, std::string>> pairs;
  for (const json& one : result["ratios"]) {
    EXPECT_GT(one["over_on-demand"], 0);
    pairs.emplace(one["file"], one["beside"]);
  }
  EXPECT_EQ(pairs.size(), 4u);
}

TEST_F(BenchSmokeTest, Replay) {
  const std::string text = RecordedTraceText();
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  const TestFile trace(std::vector<std::byte>(bytes, bytes + text.size()));
  const json result =
      RunForJson({"replay", trace.path(), "--policy", "lru,belady", "--budget", "2000MiB,3000MiB"});
  ASSERT_EQ(result["results"].size(), 4u);
  for (const json& one : result["results"])
    ExpectFields(one, {"policy", "predictor", "budget_bytes", "hit_rate", "bytes_per_token",
                       "recall_at_k", "recall_at_2k", "prefetch_waste"});
}

TEST_F(BenchSmokeTest, Quality) {
  const std::string words = "the cat in the hat and then some more of the same, again and again; ";
  const auto* bytes = reinterpret_cast<const std::byte*>(words.data());
  const TestFile text(std::vector<std::byte>(bytes, bytes + words.size()));
  const TestFile coarse(TinyModelBytes(
      {.layer_count = 3, .expert_count = 16, .expert_width = 256, .down_type = TensorType::kQ4_0}));
  const std::vector<std::string> what = {
      "quality", "-m", file_.path() + "," + coarse.path(), "-f", text.path(), "--context", "16"};
  const json alone = RunForJson(what);
  ASSERT_EQ(alone["results"].size(), 2u);
  ExpectFields(alone["results"][0],
               {"model", "windows", "tokens", "perplexity", "memory_bytes", "expert_bytes_read"});
  EXPECT_FALSE(alone["results"][0].contains("mean_kl"));

  std::vector<std::string> against = what;
  against.insert(against.end(), {"--reference", file_.path(), "--windows", "2"});
  const json both = RunForJson(against);
  const json& itself = both["results"][0];
  ExpectFields(itself, {"mean_kl", "kl_p50", "kl_p99", "kl_max", "reference_perplexity",
                        "perplexity_ratio", "same_top_fraction"});
  EXPECT_EQ(itself["windows"], 2);
  EXPECT_EQ(itself["tokens"], 2 * 7);
  EXPECT_LT(itself["kl_max"], 1e-7);
  EXPECT_EQ(itself["perplexity_ratio"], 1);
  EXPECT_GT(both["results"][1]["mean_kl"], 1e-7);

  against.insert(against.end(), {"--memory", "1KiB"});
  const Ended small = RunBench(against);
  EXPECT_EQ(small.code, 75);
  EXPECT_THAT(small.errors, HasSubstr("the least that works is"));
  EXPECT_EQ(RunBench({"quality", "-m", file_.path(), "-f", "/no/such.txt"}).code, 66);
  EXPECT_EQ(RunBench({"quality", "-m", file_.path(), "-f", text.path()}).code, 65)
      << "shorter than one window";
}

TEST_F(BenchSmokeTest, ATableForPeopleAndAFileForPrograms) {
  const TempFolder folder;
  const std::string path = folder / "bench.json";
  const Ended ended =
      RunBench({"decode", "-m", file_.path(), "-n", "3", "--runs", "1", "--json", path});
  EXPECT_EQ(ended.code, 0) << ended.errors;
  EXPECT_THAT(ended.output, HasSubstr("tok/s"));
  EXPECT_THAT(ended.output, HasSubstr("all wrote the same tokens"));
  std::ifstream file(path);
  EXPECT_TRUE(json::parse(file, nullptr, false).is_object());
}

TEST_F(BenchSmokeTest, WhatIsWrongIsNamed) {
  const Ended missing = RunBench({"decode", "-m", "/no/such.gguf"});
  EXPECT_EQ(missing.code, 66);
  EXPECT_THAT(missing.errors, HasSubstr("/no/such.gguf"));
  EXPECT_EQ(RunBench({"decode"}).code, 64);
  const Ended mode = RunBench({"decode", "-m", file_.path(), "--mode", "fast"});
  EXPECT_EQ(mode.code, 65);
  EXPECT_THAT(mode.errors, HasSubstr("\"fast\""));
  const Ended place =
      RunBench({"io", file_.path(), "--json", "/no/such/folder/x.json", "--io-backend", "pread"});
  EXPECT_EQ(place.code, 65);
  EXPECT_THAT(place.errors, HasSubstr("/no/such/folder/x.json"));
}

}  // namespace
}  // namespace edgemoe
