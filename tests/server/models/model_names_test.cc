// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_names.h"

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

class ModelNamesTest : public testing::Test {
 protected:
  ModelNamesTest() {
    fs::create_directory(models_);
    fs::create_directory(folder_ / "llama");
    for (const std::string& name :
         {models_ + "/Tiny-Q4_0.gguf", models_ + "/Tiny-Q8_0.gguf",
          models_ + "/big-00001-of-00002.gguf", models_ + "/big-00002-of-00002.gguf",
          folder_ / "llama/theirs.gguf", folder_ / "elsewhere.gguf"})
      std::ofstream(name) << "x";
    std::ofstream(folder_ / "catalogue.json") << R"({"models": [
        {"name": "tiny", "repository": "a/b", "licence": "MIT", "file": "tiny",
         "quant": {"4GB": "Q4_0", "8GB": "Q4_0", "16GB": "Q8_0"}}]})";
    catalogue_ = Catalogue::Read(folder_ / "catalogue.json").value();
  }

  // "name, file" of those that the name means; of a loaded one with a star.
  std::vector<std::string> Meant(const std::string& name) const {
    const auto models =
        ListNamedModels(loaded_.path.empty() ? nullptr : &loaded_, models_,
                        {.ollama = {}, .llama_cpp = folder_ / "llama", .hugging_face = {}});
    std::vector<std::string> meant;
    for (const NamedModel& model : FindByName(*models, name, catalogue_))
      meant.push_back(model.name + ", " + fs::path(model.path).filename().string() +
                      (model.is_loaded ? "*" : ""));
    return meant;
  }

  TempFolder folder_;
  const std::string models_ = folder_ / "models";
  Catalogue catalogue_;
  ModelDescription loaded_;
};

TEST_F(ModelNamesTest, NamesOfModelsAndFilesAndShortOnes) {
  EXPECT_THAT(Meant("Tiny-Q8_0"), ElementsAre("Tiny-Q8_0, Tiny-Q8_0.gguf"));
  EXPECT_THAT(Meant("Tiny-Q8_0.gguf"), ElementsAre("Tiny-Q8_0, Tiny-Q8_0.gguf"));
  EXPECT_THAT(Meant("big"), ElementsAre("big, big-00001-of-00002.gguf"));
  EXPECT_THAT(Meant("big-00001-of-00002"), ElementsAre("big, big-00001-of-00002.gguf"));
  EXPECT_THAT(Meant("big-00002-of-00002"), IsEmpty());
  EXPECT_THAT(Meant("theirs"), ElementsAre("theirs, theirs.gguf"));
  EXPECT_THAT(Meant("tiny"), ElementsAre("Tiny-Q4_0, Tiny-Q4_0.gguf", "Tiny-Q8_0, Tiny-Q8_0.gguf"));
  EXPECT_THAT(Meant("tiny:q8_0"), ElementsAre("Tiny-Q8_0, Tiny-Q8_0.gguf"));
  EXPECT_THAT(Meant("tiny:Q8"), IsEmpty());
  EXPECT_THAT(Meant("none"), IsEmpty());
  EXPECT_THAT(Meant(""), IsEmpty());
}

TEST_F(ModelNamesTest, TheLoadedOneComesFirstByWhicheverNameItsFileHas) {
  loaded_.name = "mine";
  loaded_.path = models_ + "/Tiny-Q8_0.gguf";
  EXPECT_THAT(Meant("mine"), ElementsAre("mine, Tiny-Q8_0.gguf*"));
  EXPECT_THAT(Meant("tiny"), ElementsAre("mine, Tiny-Q8_0.gguf*", "Tiny-Q8_0, Tiny-Q8_0.gguf*",
                                         "Tiny-Q4_0, Tiny-Q4_0.gguf"));
  // A link to what is loaded from elsewhere.
  loaded_.path = folder_ / "elsewhere.gguf";
  fs::create_symlink(loaded_.path, models_ + "/link.gguf");
  EXPECT_THAT(Meant("link"), ElementsAre("link, link.gguf*"));
  EXPECT_THAT(Meant("elsewhere"), ElementsAre("mine, elsewhere.gguf*"));
}

TEST_F(ModelNamesTest, ANameComesBeforeAShortName) {
  std::ofstream(folder_ / "llama/tiny.gguf") << "x";
  EXPECT_THAT(Meant("tiny"), ElementsAre("tiny, tiny.gguf"));
}

TEST_F(ModelNamesTest, NamesAFolderThatIsNot) {
  EXPECT_EQ(ListNamedModels(nullptr, folder_ / "none", {}).error().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgemoe
