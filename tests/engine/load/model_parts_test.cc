// SPDX-License-Identifier: Apache-2.0
#include "engine/load/model_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/changed_file.h"
#include "tests/support/child_process.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

class ModelPartsTest : public testing::Test {
 protected:
  static Result<ModelHeader> Written(const std::string& path) {
    EXPECT_TRUE(WriteTinyModel(path, {}).ok());
    return ReadModelHeader(path);
  }

  void ExpectRefused(const Result<std::vector<StorageFile>>& files, StatusCode code,
                     const std::string& words) const {
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code(), code);
    EXPECT_THAT(files.error().message(), HasSubstr(path_));
    EXPECT_THAT(files.error().message(), HasSubstr(words));
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "tiny.gguf";
  const ModelHeader header_ = *Written(path_);
};

TEST_F(ModelPartsTest, AFileThatChangesBetweenHeaderAndWeightsIsNotOpened) {
  ASSERT_TRUE(OpenModelFiles(header_));
  Touch(path_);
  ExpectRefused(OpenModelFiles(header_), StatusCode::kUnavailable, "changed while it was opened");
}

TEST_F(ModelPartsTest, AChangeAfterOpeningIsNoticed) {
  const auto files = OpenModelFiles(header_);
  ASSERT_TRUE(files);
  EXPECT_EQ(CheckUnchanged(*files), OkStatus());
  Touch(path_);
  EXPECT_THAT(CheckUnchanged(*files).message(), HasSubstr(path_));
}

TEST_F(ModelPartsTest, IsOpenedAgainWithTheSameSizeAndHeaderOnly) {
  const std::string bytes = ReadAll(path_);
  for (const Rewrite how : {Rewrite::kInPlace, Rewrite::kByRename}) {
    RewriteFile(path_, bytes, how);
    const auto files = ReopenModelFiles(header_.parts);
    ASSERT_TRUE(files) << files.error().ToString();
    ASSERT_EQ(files->size(), 1u);
    EXPECT_NE((*files)[0].identity(), header_.parts[0].identity);
  }
  RewriteFile(path_, bytes + "x", Rewrite::kInPlace);
  ExpectRefused(ReopenModelFiles(header_.parts), StatusCode::kFailedPrecondition, " bytes, ");
  std::string other = bytes;
  other[header_.parts[0].header_bytes - 1] ^= 1;
  RewriteFile(path_, other, Rewrite::kInPlace);
  ExpectRefused(ReopenModelFiles(header_.parts), StatusCode::kFailedPrecondition, "header");
  std::filesystem::remove(path_);
  ExpectRefused(ReopenModelFiles(header_.parts), StatusCode::kNotFound, "open");
}

}  // namespace
}  // namespace edgemoe
