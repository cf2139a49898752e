// SPDX-License-Identifier: Apache-2.0
#include "server/models/foreign_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = std::filesystem;

void Write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

ForeignPlaces Ollama(std::vector<std::string> folders) {
  return {.ollama = std::move(folders), .llama_cpp = {}, .hugging_face = {}};
}

std::string Manifest(const std::string& digest) {
  return R"({"schemaVersion": 2, "layers": [
      {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:00", "size": 1},
      {"mediaType": "application/vnd.ollama.image.model", "digest": ")" +
         digest + R"(", "size": 5}]})";
}

TEST(ForeignModelsTest, FindsOllamas) {
  const TempFolder folder;
  const std::string library = folder / "manifests/registry.ollama.ai/library/qwen3/";
  Write(library + "30b-a3b", Manifest("sha256:ab12"));
  Write(folder / "manifests/registry.ollama.ai/someone/moe/latest", Manifest("sha256:ab12"));
  Write(folder / "manifests/hf.co/org/repo/Q4_0", Manifest("sha256:ab12"));
  Write(folder / "blobs/sha256-ab12", "GGUF");
  // Without its blob, out of the folder, and no manifests.
  Write(library + "gone", Manifest("sha256:cd"));
  Write(library + "evil", Manifest("sha256:/../../x"));
  Write(library + "odd", "{");
  Write(library + "text", R"({"layers": [{"mediaType": 5}]})");
  std::vector<std::string> names;
  for (const ForeignModel& model : FindForeignModels(Ollama({folder.path()}))) {
    names.push_back(model.name);
    EXPECT_EQ(model.path, folder / "blobs/sha256-ab12");
  }
  EXPECT_THAT(names, ElementsAre("hf.co/org/repo:Q4_0", "qwen3:30b-a3b", "someone/moe:latest"));
}

TEST(ForeignModelsTest, FindsCachedFiles) {
  const TempFolder folder;
  Write(folder / "llama/org_repo_m-Q4_0.gguf", "GGUF");
  Write(folder / "llama/org_repo_m-Q4_0.gguf.json", "{}");
  const std::string repo = folder / "hub/models--org--repo";
  Write(repo + "/blobs/abcd", "GGUF");
  fs::create_directories(repo + "/snapshots/123");
  for (const char* name : {"big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "mmproj-F16.gguf"})
    fs::create_symlink(repo + "/blobs/abcd", repo + "/snapshots/123/" + name);
  std::vector<std::string> names;
  for (const ForeignModel& model : FindForeignModels(
           {.ollama = {}, .llama_cpp = folder / "llama", .hugging_face = folder / "hub"}))
    names.push_back(model.name);
  EXPECT_THAT(names, ElementsAre("org_repo_m-Q4_0", "big-00001-of-00002"));
  EXPECT_THAT(FindForeignModels(Ollama({folder / "none", ""})), IsEmpty());
}

TEST(ForeignModelsTest, TellsTheSumsOfFiles) {
  const TempFolder folder;
  const std::string sum(64, 'a');
  Write(folder / ("ollama/blobs/sha256-" + sum), "GGUF");
  Write(folder / "ollama/blobs/sha256-short", "GGUF");
  Write(folder / ("ollama/blobs/sha256-" + sum + "-partial"), "GG");
  Write(folder / "llama/org_repo_m-Q4_0.gguf", "GGUF1");
  const std::string repo = folder / "hub/models--org--repo";
  Write(repo + "/blobs/" + std::string(64, 'b'), "GGUF22");
  fs::create_directories(repo + "/snapshots/123");
  fs::create_symlink("../../blobs/" + std::string(64, 'b'),
                     repo + "/snapshots/123/big-00002-of-00002.gguf");
  const std::vector<ForeignFile> files = FindForeignFiles({.ollama = {folder / "ollama"},
                                                           .llama_cpp = folder / "llama",
                                                           .hugging_face = folder / "hub"});
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].path, folder / ("ollama/blobs/sha256-" + sum));
  EXPECT_EQ(files[0].sha256, sum);
  EXPECT_EQ(files[0].bytes, 4u);
  EXPECT_EQ(files[1].path, folder / "llama/org_repo_m-Q4_0.gguf");
  EXPECT_EQ(files[1].sha256, "");
  EXPECT_EQ(files[2].path, repo + "/blobs/" + std::string(64, 'b'));
  EXPECT_EQ(files[2].sha256, std::string(64, 'b'));
}

TEST(ForeignModelsTest, LooksWhereTheProgramsSayTheyKeepThem) {
  const ForeignPlaces usual = ForeignPlaces::FromEnvironment(
      [](const char* name) { return name == std::string_view("HOME") ? "/home/a" : nullptr; });
  EXPECT_THAT(usual.ollama,
              ElementsAre("/home/a/.ollama/models", "/usr/share/ollama/.ollama/models"));
  EXPECT_EQ(usual.llama_cpp, "/home/a/.cache/llama.cpp");
  EXPECT_EQ(usual.hugging_face, "/home/a/.cache/huggingface/hub");
  const ForeignPlaces set = ForeignPlaces::FromEnvironment([](const char* name) { return name; });
  EXPECT_EQ(set.ollama.front(), "OLLAMA_MODELS");
  EXPECT_EQ(set.llama_cpp, "LLAMA_CACHE");
  EXPECT_EQ(set.hugging_face, "HF_HUB_CACHE");
  const ForeignPlaces none =
      ForeignPlaces::FromEnvironment([](const char*) -> const char* { return nullptr; });
  EXPECT_EQ(none.llama_cpp, "");
}

}  // namespace
}  // namespace edgemoe
