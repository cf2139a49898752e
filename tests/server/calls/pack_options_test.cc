// SPDX-License-Identifier: Apache-2.0
//
// The job that a PackRequest asks for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/calls/translate/pack_messages.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class PackOptionsTest : public testing::Test {
 protected:
  PackOptionsTest() {
    for (const char* folder : {"models", "models/deep", "home", "elsewhere"})
      fs::create_directory(folder_ / folder);
    fs::create_symlink(folder_ / "elsewhere", folder_ / "home/link");
  }

  v1::PackRequest Request(const std::string& source, const std::string& output = "") const {
    v1::PackRequest request;
    request.set_source_path(source.empty() ? "" : folder_ / source);
    request.set_output_path(output.empty() ? "" : folder_ / output);
    return request;
  }

  TempFolder folder_;
};

TEST_F(PackOptionsTest, OptionsBecomeTheEngines) {
  v1::PackRequest request = Request("home/m.gguf");
  EXPECT_EQ(ToPackOptions(request, "")->method, PackMethod::kCopy);
  request.set_max_ppl_increase(0.02);
  EXPECT_EQ(ToPackOptions(request, "")->method, PackMethod::kSensitivity);
  EXPECT_EQ(ToPackOptions(request, "")->target.perplexity_increase_max, 0.02);
  request.set_method(v1::PACK_METHOD_EDGEMOE);
  request.set_granularity(v1::PACK_GRANULARITY_PER_ROLE);
  request.set_size_bytes(77);
  request.set_plan_only(true);
  request.set_memory_bytes(5);
  const auto options = ToPackOptions(request, "");
  ASSERT_TRUE(options) << options.error().ToString();
  EXPECT_EQ(options->method, PackMethod::kEdgemoe);
  EXPECT_EQ(options->granularity, PackGranularity::kRole);
  EXPECT_EQ(options->target.file_bytes, 77u);
  EXPECT_FALSE(options->target.perplexity_increase_max);
  EXPECT_TRUE(options->plan_only);
  EXPECT_EQ(options->memory_bytes, 5u);
  request.set_method(static_cast<v1::PackMethod>(9));
  EXPECT_THAT(ToPackOptions(request, "").error().message(), HasSubstr("method: found 9"));
  request.set_method(v1::PACK_METHOD_EDGEMOE);
  request.set_granularity(static_cast<v1::PackGranularity>(9));
  EXPECT_THAT(ToPackOptions(request, "").error().message(), HasSubstr("granularity: found 9"));
}

TEST_F(PackOptionsTest, CalibrationIsARegularFile) {
  std::ofstream(folder_ / "home/text") << "Once upon a time";
  v1::PackRequest request = Request("home/m.gguf");
  const auto code = [&](const std::string& path) {
    request.set_calibration_path(path);
    const auto options = ToPackOptions(request, "");
    if (options) return StatusCode::kOk;
    EXPECT_THAT(options.error().message(), HasSubstr("calibration_path"));
    return options.error().code();
  };
  EXPECT_EQ(code(folder_ / "home/text"), StatusCode::kOk);
  EXPECT_EQ(code("text"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(folder_ / "home"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("/dev/zero"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(folder_ / "home/none"), StatusCode::kNotFound);
}

TEST_F(PackOptionsTest, WritesOnlyWhereModelsLie) {
  const std::string models = folder_ / "models";
  for (const char* allowed :
       {"home/x.gguf", "home/./x.gguf", "models/x.gguf", "models/deep/x.gguf"}) {
    const auto options = ToPackOptions(Request("home/m.gguf", allowed), models);
    ASSERT_TRUE(options) << options.error().ToString();
    EXPECT_EQ(fs::path(options->output_path).filename(), "x.gguf");
  }
  for (const char* refused : {"elsewhere/x.gguf", "home/../elsewhere/x.gguf", "home/link/x.gguf",
                              "models/../x.gguf", "x.gguf"}) {
    const auto options = ToPackOptions(Request("home/m.gguf", refused), models);
    ASSERT_FALSE(options) << refused;
    EXPECT_EQ(options.error().code(), StatusCode::kPermissionDenied);
    EXPECT_THAT(options.error().message(), HasSubstr("output_path"));
    EXPECT_THAT(options.error().message(), HasSubstr(models));
  }
  EXPECT_FALSE(ToPackOptions(Request("home/m.gguf", "models/x.gguf"), ""));
}

TEST_F(PackOptionsTest, PathsAreAbsoluteAndOfGgufFiles) {
  v1::PackRequest request;
  for (const char* path : {"", "m.gguf", "./m.gguf"}) {
    request.set_source_path(path);
    const auto options = ToPackOptions(request, "");
    ASSERT_FALSE(options) << path;
    EXPECT_EQ(options.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(options.error().message(), HasSubstr("source_path"));
  }
  for (const char* output : {"home/x", "home/x.gguf.sh", "home/.gguf", "home/"}) {
    const auto options = ToPackOptions(Request("home/m.gguf", output), "");
    ASSERT_FALSE(options) << output;
    EXPECT_EQ(options.error().code(), StatusCode::kInvalidArgument);
  }
  request = Request("home/m.gguf");
  request.mutable_output_path()->assign(folder_ / "home/a").append(1, '\0').append(".gguf");
  EXPECT_EQ(ToPackOptions(request, "").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ToPackOptions(Request("nowhere/m.gguf"), "").error().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgemoe
