// SPDX-License-Identifier: Apache-2.0
#include "download/hub/hub_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

HubFile File(const std::string& path, std::uint64_t bytes) {
  return {.path = path, .bytes = bytes, .sha256 = std::string(64, 'a')};
}

std::vector<HubModel> SomeModels() {
  return GroupModels({File("m-Q4_K_M.gguf", 40), File("m-Q8_0.gguf", 80),
                      File("BF16/m-BF16-00002-of-00002.gguf", 60),
                      File("BF16/m-BF16-00001-of-00002.gguf", 100), File("mmproj-F16.gguf", 1),
                      File("m-UD-Q2_K_XL.gguf", 20), File("m-IQ1_S-00001-of-00003.gguf", 10)});
}

TEST(HubListingTest, ReadsTheApisAnswer) {
  std::vector<HubFile> files;
  const std::string sum(64, '1');
  ASSERT_TRUE(AppendHubFiles(R"([
      {"type": "directory", "path": "a.gguf", "size": 0},
      {"type": "file", "path": "README.md", "size": 12},
      {"type": "file", "path": "q/a-Q4_0.gguf", "size": 134, "oid": "x",
       "lfs": {"oid": ")" + sum + R"(", "size": 4096, "pointerSize": 134}},
      {"type": "file", "path": "../evil/...gguf", "size": 12},
      {"type": "file", "path": "tiny.GGUF", "size": 7}])",
                             files)
                  .ok());
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, "q/a-Q4_0.gguf");
  EXPECT_EQ(files[0].bytes, 4096u);
  EXPECT_EQ(files[0].sha256, sum);
  EXPECT_EQ(files[1].bytes, 7u);
  EXPECT_EQ(files[1].sha256, "");
}

TEST(HubListingTest, RefusesOtherAnswers) {
  std::vector<HubFile> files;
  for (const char* text :
       {"", "{}", "[1]", "<html>", R"([{"type": "file", "path": "a.gguf"}])",
        R"([{"type": "file", "path": "a.gguf", "size": -1}])",
        R"([{"type": "file", "path": "a.gguf", "size": 99999999999999999999}])",
        R"([{"type": "file", "path": "a.gguf", "size": 1, "lfs": {"oid": "12", "size": 3}}])"})
    EXPECT_EQ(AppendHubFiles(text, files).code(), StatusCode::kDataLoss) << text;
  EXPECT_EQ(ParseHubCommit(R"({"sha": "0123abc"})").value(), "0123abc");
  for (const char* text : {"[]", "{}", R"({"sha": "../.."})", R"({"sha": 5})"})
    EXPECT_FALSE(ParseHubCommit(text)) << text;
}

TEST(HubListingTest, FindsTheQuantInNames) {
  EXPECT_EQ(QuantOfName("Qwen3-30B-A3B-Q4_K_M.gguf"), "Q4_K_M");
  EXPECT_EQ(QuantOfName("Qwen3-30B-A3B-UD-Q4_K_XL-00001-of-00002.gguf"), "UD-Q4_K_XL");
  EXPECT_EQ(QuantOfName("olmoe-1b-7b-0924-instruct.q8_0.gguf"), "Q8_0");
  EXPECT_EQ(QuantOfName("gpt-oss-20b-mxfp4.gguf"), "MXFP4");
  EXPECT_EQ(QuantOfName("m-IQ2_XXS-imat.gguf"), "IQ2_XXS");
  EXPECT_EQ(QuantOfName("m-bf16.gguf"), "BF16");
  EXPECT_EQ(QuantOfName("model.gguf"), "");
  EXPECT_EQ(QuantOfName("Q-model-FX.gguf"), "");
}

TEST(HubListingTest, GroupsPartsSmallestFirst) {
  const std::vector<HubModel> models = SomeModels();
  std::vector<std::string> quants;
  for (const HubModel& model : models) quants.push_back(model.quant);
  EXPECT_THAT(quants, ElementsAre("IQ1_S", "UD-Q2_K_XL", "Q4_K_M", "Q8_0", "BF16"));
  EXPECT_EQ(models[4].bytes, 160u);
  EXPECT_EQ(models[4].files[0].path, "BF16/m-BF16-00001-of-00002.gguf");
}

TEST(HubListingTest, Chooses) {
  const std::vector<HubModel> models = SomeModels();
  ModelReference reference;
  reference.repository = "org/repo";
  EXPECT_EQ(ChooseModel(models, reference)->quant, "Q4_K_M");
  reference.quant = "bf16";
  EXPECT_EQ(ChooseModel(models, reference)->files.size(), 2u);
  reference.quant = "Q2_K_XL";
  EXPECT_EQ(ChooseModel(models, reference)->quant, "UD-Q2_K_XL");
  reference.quant = "iq1_s";
  EXPECT_THAT(ChooseModel(models, reference).error().message(), HasSubstr("has 1 of its 3 parts"));
  reference.quant = "Q5_0";
  const Status status = ChooseModel(models, reference).error();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("Q4_K_M (40 B)"));
  reference.path = "m-Q8_0.gguf";
  EXPECT_EQ(ChooseModel(models, reference)->bytes, 80u);
  reference.path = "m-Q9_0.gguf";
  EXPECT_EQ(ChooseModel(models, reference).error().code(), StatusCode::kNotFound);
  reference.path.clear();
  reference.quant.clear();
  const std::vector<HubModel> two = GroupModels({File("a-Q8_0.gguf", 1), File("b-Q8_0.gguf", 2)});
  EXPECT_THAT(ChooseModel(two, reference).error().message(), HasSubstr("Q8_0 (1 B), Q8_0 (2 B)"));
  reference.quant = "Q8_0";
  EXPECT_THAT(ChooseModel(two, reference).error().message(), HasSubstr("a-Q8_0.gguf, b-Q8_0.gguf"));
  EXPECT_EQ(ChooseModel({}, reference).error().code(), StatusCode::kNotFound);
}

TEST(HubListingTest, NamesAllParts) {
  EXPECT_THAT(PartPaths("http://h/m-00002-of-00003.gguf"),
              ElementsAre("http://h/m-00001-of-00003.gguf", "http://h/m-00002-of-00003.gguf",
                          "http://h/m-00003-of-00003.gguf"));
  EXPECT_THAT(PartPaths("m-00004-of-00003.gguf"), ElementsAre("m-00004-of-00003.gguf"));
  EXPECT_THAT(PartPaths("m.gguf"), ElementsAre("m.gguf"));
}

}  // namespace
}  // namespace edgemoe
