// SPDX-License-Identifier: Apache-2.0
#include "server/models/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "engine/base/byte_size.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

TEST(CatalogueTest, OursIsInOrder) {
  const Result<Catalogue> catalogue = Catalogue::Read(EDGEMOE_SOURCE_DIR "/config/models.json");
  ASSERT_TRUE(catalogue) << catalogue.error().ToString();
  EXPECT_GE(catalogue->entries().size(), 12u);
  std::set<std::string> names;
  for (const CatalogueEntry& entry : catalogue->entries()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.licence.empty()) << entry.name;
    EXPECT_EQ(std::count(entry.repository.begin(), entry.repository.end(), '/'), 1) << entry.name;
    EXPECT_TRUE(catalogue->Means(entry.name, entry.file + "-Q4_K_M.gguf")) << entry.name;
  }
}

TEST(CatalogueTest, NamesWhatToPull) {
  const Catalogue catalogue = Catalogue::Read(EDGEMOE_SOURCE_DIR "/config/models.json").value();
  EXPECT_EQ(catalogue.ReferenceOf("qwen3-30b-a3b", 8 * kGiB),
            "hf.co/Qwen/Qwen3-30B-A3B-GGUF:Q4_K_M");
  EXPECT_EQ(catalogue.ReferenceOf("Qwen3-30B-A3B", 16 * kGiB),
            "hf.co/Qwen/Qwen3-30B-A3B-GGUF:Q6_K");
  EXPECT_EQ(catalogue.ReferenceOf("olmoe-1b-7b", 4 * kGiB),
            "hf.co/allenai/OLMoE-1B-7B-0924-Instruct-GGUF:Q4_K_M");
  EXPECT_EQ(catalogue.ReferenceOf("olmoe-1b-7b:q8_0", 4 * kGiB),
            "hf.co/allenai/OLMoE-1B-7B-0924-Instruct-GGUF:q8_0");
  for (const char* other : {"hf.co/a/b:Q4_0", "https://h/a.gguf", "mine", ""})
    EXPECT_EQ(catalogue.ReferenceOf(other, kGiB), other);
  EXPECT_EQ(catalogue.RepositoryOf("Qwen3-30B-A3B"), "hf.co/Qwen/Qwen3-30B-A3B-GGUF");
  EXPECT_EQ(catalogue.RepositoryOf("qwen3-30b-a3b:q8_0"), "hf.co/Qwen/Qwen3-30B-A3B-GGUF:q8_0");
  EXPECT_EQ(catalogue.RepositoryOf("hf.co/a/b:Q4_0"), "hf.co/a/b:Q4_0");
  EXPECT_TRUE(catalogue.Has("OLMOE-1b-7b:q8_0"));
  EXPECT_FALSE(catalogue.Has("hf.co/a/b"));
  EXPECT_FALSE(catalogue.Has(""));
}

TEST(CatalogueTest, KnowsWhatIsOnDisk) {
  const Catalogue catalogue = Catalogue::Read(EDGEMOE_SOURCE_DIR "/config/models.json").value();
  EXPECT_TRUE(catalogue.Means("qwen3-30b-a3b", "qwen3-30b-a3b-q4_k_m.gguf"));
  EXPECT_FALSE(catalogue.Means("qwen3-30b-a3b", "Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf"));
  EXPECT_FALSE(catalogue.Means("qwen3-30b-a3b", "other.gguf"));
  EXPECT_FALSE(catalogue.Means("other", "other.gguf"));
}

TEST(CatalogueTest, SaysWhatIsWrongWithAFile) {
  const TempFolder folder;
  const std::string path = folder / "models.json";
  EXPECT_EQ(Catalogue::Read(path).error().code(), StatusCode::kNotFound);
  for (const char* text : {"", "[]", R"({"models": [{"name": "a"}]})", R"({"models": [1]})"}) {
    std::ofstream(path, std::ios::trunc) << text;
    const Status status = Catalogue::Read(path).error();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr("models[0]"));
  }
  std::ofstream(path, std::ios::trunc) << std::string(300'000, ' ');
  EXPECT_THAT(Catalogue::Read(path).error().message(), HasSubstr("at most"));
}

}  // namespace
}  // namespace edgemoe
