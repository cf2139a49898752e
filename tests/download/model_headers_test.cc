// SPDX-License-Identifier: Apache-2.0
#include "download/model_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "download/model_sources.h"
#include "download/program/gguf_header.h"
#include "engine/plan.h"
#include "tests/download/hub_fixture.h"
#include "tests/support/models/split_model.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

EngineOptions OptionsOf(const std::string& model_path) {
  EngineOptions options;
  options.model_path = model_path;
  return options;
}

class ModelHeadersTest : public testing::Test {
 protected:
  ModelHeadersTest() {
    AddModel("m-Q8_0.gguf", {.seed = 1});
    AddModel("m-Q4_0.gguf", {.dense_type = TensorType::kQ4_0,
                             .gate_type = TensorType::kQ4_0,
                             .up_type = TensorType::kQ4_0,
                             .down_type = TensorType::kQ4_0});
  }

  void AddModel(const std::string& path, const TinyModelOptions& model) {
    const std::string local = folder_ / "local.gguf";
    ASSERT_TRUE(WriteTinyModel(local, model).ok());
    hub_.Add("org/m", path, ReadFile(local));
  }
  // The headers that are told, by quant.
  Result<PullReport> Fetch(const std::string& name) {
    const TempFolder empty;
    headers_.clear();
    const std::string into = folder_ / std::to_string(++count_);
    std::filesystem::create_directory(into);
    PullOptions options = OptionsFor(hub_, name, into);
    options.http.cancelled = &cancelled_;
    return FetchModelHeaders(options, CheckGgufHeader, [this](const PullHeader& header) {
      quants_.push_back(header.quant);
      headers_[header.quant] = header;
    });
  }

  FaultyHub hub_;
  TempFolder folder_;
  int count_ = 0;
  std::atomic<bool> cancelled_ = false;
  std::vector<std::string> quants_;
  std::map<std::string, PullHeader> headers_;
};

TEST_F(ModelHeadersTest, EachQuantOfARepositoryInAFolderOfItsOwn) {
  const Result<PullReport> report = Fetch("hf.co/org/m");
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_THAT(quants_, ElementsAre("Q4_0", "Q8_0")) << "smallest first";
  for (const auto& [quant, header] : headers_) {
    EXPECT_EQ(header.pull_name, "hf.co/org/m:" + quant);
    EXPECT_TRUE(header.problem.ok()) << header.problem.ToString();
    EXPECT_EQ(header.architecture, "qwen3moe");
    ASSERT_EQ(header.files.size(), 1u);
    EXPECT_EQ(header.files[0].name, "m-" + quant + ".gguf");
    EXPECT_EQ(header.files[0].bytes, header.bytes);
    EXPECT_EQ(header.files[0].sha256.size(), 64u);
    EXPECT_EQ(std::filesystem::file_size(header.path), header.bytes);
    EXPECT_TRUE(PlanMemory(OptionsOf(header.path)));
  }
  EXPECT_GT(report->bytes, 0u);
  EXPECT_NE(headers_["Q4_0"].path, headers_["Q8_0"].path);
}

TEST_F(ModelHeadersTest, OneOfThemByQuantPathAndUrl) {
  ASSERT_TRUE(Fetch("hf.co/org/m:q8_0"));
  EXPECT_THAT(quants_, ElementsAre("Q8_0"));
  quants_.clear();
  ASSERT_TRUE(Fetch(hub_.origin() + "/org/m/blob/main/m-Q4_0.gguf"));
  ASSERT_TRUE(Fetch(hub_.origin() + "/cdn/org/m/m-Q4_0.gguf"));
  EXPECT_THAT(quants_, ElementsAre("Q4_0", "Q4_0"));
  EXPECT_EQ(headers_["Q4_0"].pull_name, hub_.origin() + "/cdn/org/m/m-Q4_0.gguf");
  EXPECT_TRUE(headers_["Q4_0"].files[0].sha256.empty());
}

TEST_F(ModelHeadersTest, WhatTwoModelsAreCalledTheirAddressesTellApart) {
  AddModel("other/m2-Q8_0.gguf", {.seed = 3});
  std::vector<std::string> names;
  const PullOptions options = OptionsFor(hub_, "hf.co/org/m", folder_.path());
  HttpClient client(options.http);
  const auto sources = FindModels(client, options.hub, options.retry, options.model);
  ASSERT_TRUE(sources);
  for (const ModelSource& source : *sources) {
    names.push_back(source.pull_name);
    // And each of these names is understood.
    const auto found = FindModel(client, options.hub, options.retry, source.pull_name);
    ASSERT_TRUE(found) << found.error().ToString();
    EXPECT_EQ(found->files[0].url, source.files[0].url);
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre(
                         "hf.co/org/m:Q4_0", hub_.origin() + "/org/m/blob/main/m-Q8_0.gguf",
                         hub_.origin() + "/org/m/blob/main/other/m2-Q8_0.gguf"));
}

TEST_F(ModelHeadersTest, SplitModelsHaveAllParts) {
  const std::vector<std::string> parts = SplitModelHeaders({.seed = 4}, 2);
  hub_.Add("org/m", "Q5_0/m-Q5_0-00001-of-00002.gguf", parts[0]);
  hub_.Add("org/m", "Q5_0/m-Q5_0-00002-of-00002.gguf", parts[1]);
  hub_.Add("org/m", "m-Q6_K-00002-of-00003.gguf", parts[1]);
  ASSERT_TRUE(Fetch("hf.co/org/m"));
  const PullHeader& split = headers_["Q5_0"];
  ASSERT_TRUE(split.problem.ok()) << split.problem.ToString();
  EXPECT_EQ(split.bytes, parts[0].size() + parts[1].size());
  EXPECT_THAT(split.path, testing::EndsWith("/m-Q5_0-00001-of-00002.gguf"));
  const Result<MemoryPlan> plan = PlanMemory(OptionsOf(split.path));
  ASSERT_TRUE(plan) << plan.error().ToString();
  EXPECT_EQ(plan->model_file_bytes, split.bytes);
  EXPECT_EQ(headers_["Q6_K"].problem.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(headers_["Q6_K"].problem.message(), HasSubstr("1 of its 3 parts"));
}

TEST_F(ModelHeadersTest, WhatIsWrongWithOneModelIsItsOwn) {
  hub_.Add("org/m", "m-IQ1_S.gguf", std::string(100, 'x'));
  ASSERT_TRUE(Fetch("hf.co/org/m"));
  EXPECT_THAT(quants_, ElementsAre("IQ1_S", "Q4_0", "Q8_0"));
  EXPECT_EQ(headers_["IQ1_S"].problem.code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(headers_["IQ1_S"].path.empty());
  EXPECT_TRUE(headers_["Q8_0"].problem.ok());
}

TEST_F(ModelHeadersTest, AServerThatLiesAboutOneFile) {
  // Another length than the hub says, and another range.
  hub_.Script("org/m", {{"api", {{{"size", 0}}, {{"size", 5}}}}});
  ASSERT_TRUE(Fetch("hf.co/org/m"));
  EXPECT_EQ(headers_["Q4_0"].problem.code(), StatusCode::kDataLoss);
  EXPECT_EQ(headers_["Q8_0"].problem.code(), StatusCode::kDataLoss);
  hub_.Script("org/m", {{"file", {{{"shift", 7}}, {{"cut", 1000}}}}});
  ASSERT_TRUE(Fetch("hf.co/org/m"));
  EXPECT_EQ(headers_["Q4_0"].problem.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(headers_["Q8_0"].problem.ok()) << "it was asked again";
}

TEST_F(ModelHeadersTest, AFileThatIsNotThere) {
  hub_.Script("org/m", {{"file", {{{"status", 404}}}}});
  ASSERT_TRUE(Fetch("hf.co/org/m"));
  EXPECT_EQ(headers_["Q4_0"].problem.code(), StatusCode::kNotFound);
  EXPECT_TRUE(headers_["Q8_0"].problem.ok());
}

TEST_F(ModelHeadersTest, WhatIsTheNextModelsToIsTheEnd) {
  hub_.Script("org/m", {{"file", {{{"status", 401}}, {{"status", 403}}}}});
  EXPECT_THAT(Fetch("hf.co/org/m").error().message(), HasSubstr("HF_TOKEN is not set"));
  EXPECT_THAT(Fetch("hf.co/org/m").error().message(), HasSubstr("accept the model's licence"));
  EXPECT_TRUE(headers_.empty());
  EXPECT_EQ(Fetch("hf.co/org/none").error().code(), StatusCode::kNotFound);
  cancelled_ = true;
  EXPECT_EQ(Fetch("hf.co/org/m").error().code(), StatusCode::kCancelled);
}

TEST_F(ModelHeadersTest, RepositoriesWithoutModelsAndWithTooMany) {
  hub_.Add("org/empty", "README.md", "x");
  const Status empty = Fetch("hf.co/org/empty").error();
  EXPECT_EQ(empty.code(), StatusCode::kNotFound);
  EXPECT_THAT(empty.message(), HasSubstr("no GGUF file"));
  for (std::size_t i = 0; i <= kPullHeadersMax; ++i)
    hub_.Add("org/many", "m" + std::to_string(i) + ".gguf", "x");
  const Status many = Fetch("hf.co/org/many").error();
  EXPECT_EQ(many.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(many.message(), HasSubstr("65 models"));
}

TEST_F(ModelHeadersTest, TheFirstHeaderTellsHowMuchOfTheNextIsWanted) {
  // Longer than the first guess.
  const TinyModelOptions large{.template_text = std::string(3'000'000, ' ')};
  const std::string local = folder_ / "large.gguf";
  ASSERT_TRUE(WriteTinyModel(local, large).ok());
  hub_.Add("org/large", "l-Q4_0.gguf", ReadFile(local));
  hub_.Add("org/large", "l-Q8_0.gguf", ReadFile(local));
  ASSERT_TRUE(Fetch("hf.co/org/large"));
  EXPECT_EQ(hub_.Log("l-Q4_0.gguf").size(), 3u);
  EXPECT_EQ(hub_.Log("l-Q8_0.gguf").size(), 1u);
}

}  // namespace
}  // namespace edgemoe
