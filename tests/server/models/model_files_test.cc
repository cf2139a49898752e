// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
namespace fs = std::filesystem;

class ModelFilesTest : public testing::Test {
 protected:
  ModelFilesTest() {
    fs::create_directory(models_);
    for (const char* name : {"one.gguf", "big-00001-of-00003.gguf", "big-00002-of-00003.gguf",
                             "big-00003-of-00003.gguf"})
      std::ofstream(folder_ / name) << "12345";
  }

  TempFolder folder_;
  std::string models_ = folder_ / "models";
};

TEST_F(ModelFilesTest, LinksAndRemovesLinksAlone) {
  EXPECT_EQ(LinkModel(folder_ / "one.gguf", models_).value(), models_ + "/one.gguf");
  EXPECT_EQ(LinkModel(folder_ / "big-00001-of-00003.gguf", models_).value(),
            models_ + "/big-00001-of-00003.gguf");
  EXPECT_TRUE(fs::is_symlink(models_ + "/big-00003-of-00003.gguf"));
  EXPECT_EQ(LinkModel(folder_ / "one.gguf", models_).error().code(), StatusCode::kAlreadyExists);
  const Result<RemovedFiles> removed =
      RemoveFiles(FilesOfModel(models_ + "/big-00001-of-00003.gguf"));
  EXPECT_EQ(removed->paths.size(), 3u);
  EXPECT_EQ(removed->bytes, 0u);
  EXPECT_TRUE(fs::exists(folder_ / "big-00003-of-00003.gguf"));
}

TEST_F(ModelFilesTest, LinksAllPartsOrNone) {
  std::ofstream(models_ + "/big-00002-of-00003.gguf") << "other";
  EXPECT_EQ(LinkModel(folder_ / "big-00001-of-00003.gguf", models_).error().code(),
            StatusCode::kAlreadyExists);
  EXPECT_FALSE(fs::exists(models_ + "/big-00001-of-00003.gguf"));
  EXPECT_FALSE(fs::exists(models_ + "/big-00003-of-00003.gguf"));
  fs::remove(folder_ / "big-00003-of-00003.gguf");
  EXPECT_EQ(LinkModel(folder_ / "big-00001-of-00003.gguf", models_).error().field(), "path");
}

TEST_F(ModelFilesTest, RefusesWhatIsNoModelsFile) {
  std::ofstream(folder_ / "text.txt") << "x";
  fs::create_directory(folder_ / "folder.gguf");
  for (const std::string& path :
       {std::string("one.gguf"), folder_ / "text.txt", folder_ / "folder.gguf",
        folder_ / "big-00002-of-00003.gguf", std::string()})
    EXPECT_EQ(LinkModel(path, models_).error().code(), StatusCode::kInvalidArgument) << path;
  EXPECT_EQ(LinkModel(folder_ / "none.gguf", models_).error().code(), StatusCode::kNotFound);
}

TEST_F(ModelFilesTest, RemovesAllPartsTheFirstOneFirst) {
  const std::vector<std::string> files = FilesOfModel(folder_ / "big-00001-of-00003.gguf");
  const Result<RemovedFiles> removed = RemoveFiles(files);
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->paths, files);
  EXPECT_EQ(removed->bytes, 15u);
  EXPECT_THAT(RemoveFiles(files)->paths, ElementsAre());
  fs::create_hard_link(folder_ / "one.gguf", folder_ / "same.gguf");
  EXPECT_EQ(RemoveFiles({folder_ / "one.gguf"})->bytes, 0u);
}

}  // namespace
}  // namespace edgemoe
