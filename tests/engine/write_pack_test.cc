// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/bits/report_file.h"
#include "engine/describe.h"
#include "engine/engine.h"
#include "engine/gguf/pack_keys.h"
#include "engine/io/mapped_file.h"
#include "engine/options.h"
#include "engine/pack.h"
#include "engine/plan.h"
#include "tests/engine/serving/listener.h"
#include "tests/support/child_process.h"
#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

const std::string kDemo = EDGEMOE_SOURCE_DIR "/models/edgemoe-demo-q8_0.gguf";

class EnginePackTest : public testing::Test {
 protected:
  PackReport Pack(const std::string& source) {
    auto report = WritePack({.source_path = source, .output_path = pack_, .overwrite = true});
    EXPECT_TRUE(report) << report.error().ToString();
    return report ? *std::move(report) : PackReport();
  }

  void WriteByte(std::uint64_t offset, char byte) const {
    std::fstream file(pack_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }

  TempFolder folder_;
  std::string source_ = folder_ / "tiny.gguf";
  std::string pack_ = folder_ / "pack.gguf";
};

TEST_F(EnginePackTest, TheDemoModelsPackGivesTheSameLogits) {
  if (!std::filesystem::exists(kDemo)) GTEST_SKIP() << "there is no " << kDemo;
  const PackReport report = Pack(kDemo);
  EXPECT_EQ(report.file_bytes, std::filesystem::file_size(pack_));
  EXPECT_EQ(report.layer_count, 6u);
  EXPECT_EQ(report.experts_per_layer, 32u);
  std::vector<TokenId> tokens;
  for (std::int32_t i = 0; i < 48; ++i) tokens.push_back({(i * 331) % 4096});
  std::vector<std::vector<float>> logits;
  for (const std::string& path : {kDemo, pack_}) {
    const auto file = MappedFile::Open(path);
    ASSERT_TRUE(file);
    const auto model = LoadedModel::Load(file->bytes(), {});
    ASSERT_TRUE(model) << model.error().ToString();
    SequenceState sequence((*model)->state());
    logits.push_back((*model)->Run(sequence, 0, tokens).value());
  }
  ASSERT_EQ(logits[0].size(), tokens.size() * 4096);
  EXPECT_EQ(logits[0], logits[1]) << "bit for bit";
}

TEST_F(EnginePackTest, AnEngineServesAPack) {
  ASSERT_TRUE(WriteTinyModel(source_, {}).ok());
  Pack(source_);
  const auto description = DescribeModel(pack_);
  ASSERT_TRUE(description) << description.error().ToString();
  EXPECT_EQ(description->parameter_count, DescribeModel(source_)->parameter_count);
  EngineOptions options;
  options.model_path = pack_;
  options.context_tokens = 128;
  options.threads = 1;
  const auto engine = Engine::Open(options);
  ASSERT_TRUE(engine) << engine.error().ToString();
  EXPECT_EQ((*engine)->model().name, "pack");
}

TEST_F(EnginePackTest, NamesItsOwnOutputAndTellsHowFarItIs) {
  ASSERT_TRUE(WriteTinyModel(source_, {}).ok());
  EXPECT_EQ(DefaultPackPath("dir/Qwen3-00001-of-00002.gguf"), "dir/Qwen3-pack.gguf");
  EXPECT_EQ(DefaultPackPath("Qwen3.gguf"), "Qwen3-pack.gguf");
  PackProgress last;
  const auto report = WritePack(
      {.source_path = source_, .progress = [&](const PackProgress& told) { last = told; }});
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(report->output_path, folder_ / "tiny-pack.gguf");
  EXPECT_EQ(last.phase, PackProgress::Phase::kFinishing);
  EXPECT_EQ(last.done, report->weight_bytes);
  EXPECT_EQ(last.total, report->weight_bytes);
  EXPECT_EQ(last.resumed, 0u);
}

TEST_F(EnginePackTest, OptionsAreCheckedByName) {
  ASSERT_TRUE(WriteTinyModel(source_, {}).ok());
  const auto error = [&](PackOptions options) {
    options.source_path = source_;
    options.output_path = pack_;
    const auto memory = PlanPack(options);
    const auto report = WritePack(options);
    EXPECT_FALSE(memory);
    EXPECT_FALSE(report);
    if (memory || report) return std::string();
    EXPECT_EQ(report.error().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(report.error().message(), memory.error().message());
    return report.error().message();
  };
  const PackMethod lossy = PackMethod::kSensitivity;
  EXPECT_THAT(error({.method = lossy}),
              HasSubstr("target: found none; accepted: one of size_bytes, bits, max_kl and"));
  EXPECT_THAT(error({.method = lossy, .target = {.file_bytes = 7, .kl_max = 1}}),
              HasSubstr("target: found size_bytes and max_kl"));
  EXPECT_THAT(error({.target = {.bits = 4}}),
              HasSubstr("target: found bits; accepted: none by method copy"));
  EXPECT_THAT(error({.method = lossy, .target = {.file_bytes = 0}}),
              HasSubstr("size_bytes: found 0"));
  for (const double bad : {0.0, -1.0, 32.5, std::nan("")})
    EXPECT_THAT(error({.method = lossy, .target = {.bits = bad}}), HasSubstr("accepted: (0, 32]"));
  EXPECT_THAT(error({.method = PackMethod::kUniform, .target = {.kl_max = 11}}),
              HasSubstr("max_kl: found 11; accepted: (0, 10]"));
  EXPECT_THAT(error({.method = lossy, .target = {.perplexity_increase_max = -0.5}}),
              HasSubstr("max_ppl_increase: found -0.5"));
  EXPECT_THAT(error({.method = PackMethod::kUniform,
                     .target = {.bits = 4},
                     .granularity = PackGranularity::kRole}),
              HasSubstr("granularity: found role; method uniform"));
  EXPECT_THAT(error({.calibration_path = "text"}), HasSubstr("calibration_path"));
  EXPECT_THAT(error({.plan_only = true}), HasSubstr("plan_only"));
  EXPECT_THAT(error({.memory_bytes = 1}), HasSubstr("memory_bytes"));
  EXPECT_THAT(error({.threads = 65}), HasSubstr("threads: found 65; accepted: [0, 64]"));
  EXPECT_FALSE(std::filesystem::exists(pack_));
}

TEST_F(EnginePackTest, TheReportIsKeptAsJson) {
  PackReport report;
  report.output_path = pack_;
  report.method = PackMethod::kSensitivity;
  report.bits = 4.5;
  report.expected_kl = 0.25;
  report.rows = {{.layer = 2, .role = "gate", .types = {{.type = "Q4_K", .tensors = 3}}},
                 {.role = "a \xFF"}};
  report.curve = {{.file_bytes = 10, .bits = 3, .kl = 0.5}};
  KeepReport(report);
  EXPECT_EQ(report.report_path, folder_ / "pack.report.json");
  EXPECT_EQ(report.report_error, "");
  std::ifstream file(report.report_path);
  const nlohmann::json kept = nlohmann::json::parse(file);
  EXPECT_EQ(kept["method"], "sensitivity");
  EXPECT_EQ(kept["expected_kl"], 0.25);
  EXPECT_FALSE(kept.contains("quality"));
  EXPECT_EQ(kept["rows"][0]["layer"], 2);
  EXPECT_EQ(kept["rows"][0]["types"][0]["tensors"], 3);
  EXPECT_FALSE(kept["rows"][1].contains("layer"));
  EXPECT_EQ(kept["curve"][0]["file_bytes"], 10);

  // Only the report itself is left; a place for none is said.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
  report.output_path = folder_ / "none/pack.gguf";
  report.report_path.clear();
  KeepReport(report);
  EXPECT_EQ(report.report_path, "");
  EXPECT_THAT(report.report_error, HasSubstr("none/pack.report.json"));
}

TEST_F(EnginePackTest, DamagedHeadersAreRefused) {
  ASSERT_TRUE(WriteTinyModel(source_, {}).ok());
  Pack(source_);
  // In the middle of a token of the vocabulary, where nothing else would notice.
  std::string header(65536, '\0');
  std::ifstream(pack_, std::ios::binary).read(header.data(), 65536);
  const std::size_t at = header.find("<|im_start|>");
  ASSERT_NE(at, std::string::npos);
  WriteByte(at + 3, 'I');
  const auto description = DescribeModel(pack_);
  ASSERT_FALSE(description);
  EXPECT_EQ(description.error().code(), StatusCode::kDataLoss);
  EXPECT_THAT(description.error().message(), HasSubstr(pack_));
}

// A bit of one expert flips on storage, before or after the pack was loaded: requests that need
// it fail by name, others do not, and the engine lives on.
TEST_F(EnginePackTest, ADamagedExpertFailsThoseWhoNeedIt) {
  ASSERT_TRUE(WriteTinyModel(source_, {}).ok());
  for (const bool while_loaded : {false, true}) {
    Pack(source_);
    EngineOptions options;
    options.model_path = pack_;
    options.context_tokens = 128;
    options.threads = 1;
    options.predictor = "none";
    options.expert_budget_bytes = PlanMemory(options)->expert_floor_bytes;
    auto engine = Engine::Open(options);
    ASSERT_TRUE(engine) << engine.error().ToString();
    const Answer healthy = Submit(**engine, Greedy("abc", 30))->Wait();
    ASSERT_EQ(healthy.reason(), FinishReason::kMaxTokens) << healthy.status().ToString();

    // The last byte of the file's weights: of the last expert of the last layer, or its padding.
    const auto bytes = std::filesystem::file_size(pack_);
    std::string tail(4096, '\0');
    std::ifstream in(pack_, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(bytes - 4096));
    in.read(tail.data(), 4096);
    if (!while_loaded) engine->reset();
    WriteByte(bytes - 4096 + 7, static_cast<char>(tail[7] ^ 4));
    if (!while_loaded) {
      engine = Engine::Open(options);
      ASSERT_TRUE(engine) << engine.error().ToString();
    }
    // Different prompts take different experts; some of them take the damaged one.
    std::size_t failures = 0;
    std::size_t successes = 0;
    for (int i = 0; i < 24; ++i) {
      const Answer answer =
          Submit(**engine, Greedy(std::string(1, static_cast<char>('a' + i)), 2))->Wait();
      if (answer.reason() != FinishReason::kError) {
        ++successes;
        continue;
      }
      ++failures;
      EXPECT_EQ(answer.status().code(), StatusCode::kDataLoss);
      EXPECT_THAT(answer.status().message(), HasSubstr("expert 7 of layer "));
      EXPECT_THAT(answer.status().message(), HasSubstr(pack_));
    }
    EXPECT_GT(failures, 0u);
    EXPECT_GT(successes, 0u);
  }
}

TEST_F(EnginePackTest, PacksCutShortAreRefused) {
  ASSERT_TRUE(WriteTinyModel(source_, {}).ok());
  const PackReport report = Pack(source_);
  for (const std::uint64_t bytes :
       {report.file_bytes - 4096, report.file_bytes / 2, std::uint64_t{5000}}) {
    std::filesystem::resize_file(pack_, bytes);
    const auto description = DescribeModel(pack_);
    ASSERT_FALSE(description) << bytes;
    EXPECT_EQ(description.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(description.error().message(), HasSubstr(pack_));
  }
}

}  // namespace
}  // namespace edgemoe
