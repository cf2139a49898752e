// SPDX-License-Identifier: Apache-2.0
#include "download/remote_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "download/program/gguf_header.h"
#include "engine/describe.h"
#include "engine/plan.h"
#include "tests/download/hub_fixture.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RemoteHeaderTest : public testing::Test {
 protected:
  RemoteHeaderTest() {
    EXPECT_TRUE(WriteTinyModel(local_, {.expert_count = 64, .expert_width = 256}).ok());
    bytes_ = ReadFile(local_);
    hub_.Add("org/m", "m.gguf", bytes_);
    hub_.Add("org/m", "text.gguf", std::string(3'000'000, 'x'));
  }

  TransferFile File(const std::string& name) const {
    return {.url = hub_.origin() + "/org/m/resolve/main/" + name, .name = name};
  }
  Result<RemoteHeader> Fetch(const TransferFile& file, const HeaderCheck& check) {
    HttpClient client{HttpOptions()};
    TransferOptions options{.folder = folder_.path()};
    options.retry.wait = [](std::uint64_t) { return true; };
    return FetchHeader(client, {.source = file, .path = path_}, options, check);
  }

  FaultyHub hub_;
  TempFolder folder_;
  const std::string local_ = folder_ / "local.gguf";
  const std::string path_ = folder_ / "m.gguf";
  std::string bytes_;
};

TEST_F(RemoteHeaderTest, IsDescribedAndPlannedAsTheWholeFile) {
  ASSERT_GT(bytes_.size(), 2 * kMiB);
  const Result<RemoteHeader> header = Fetch(File("m.gguf"), CheckGgufHeader);
  ASSERT_TRUE(header) << header.error().ToString();
  EXPECT_EQ(header->file_bytes, bytes_.size());
  EXPECT_EQ(header->fetched_bytes, kMiB);
  EXPECT_EQ(header->facts.architecture, "qwen3moe");
  EXPECT_GT(header->facts.header_bytes, 0u);
  EXPECT_LT(header->facts.header_bytes, kMiB);
  // What is there is not replaced.
  EXPECT_EQ(Fetch(File("m.gguf"), CheckGgufHeader).error().code(), StatusCode::kAlreadyExists);
  struct stat sparse = {};
  ASSERT_EQ(::stat(path_.c_str(), &sparse), 0);
  EXPECT_LE(static_cast<std::uint64_t>(sparse.st_blocks) * 512, 2 * kMiB);

  const Result<ModelDescription> local = DescribeModel(local_);
  const Result<ModelDescription> remote = DescribeModel(path_);
  ASSERT_TRUE(local && remote);
  EXPECT_EQ(remote->architecture, local->architecture);
  EXPECT_EQ(remote->parameter_count, local->parameter_count);
  EXPECT_EQ(remote->file_bytes, local->file_bytes);
  EngineOptions options;
  options.context_tokens = 128;
  options.model_path = local_;
  const Result<MemoryPlan> local_plan = PlanMemory(options);
  options.model_path = path_;
  const Result<MemoryPlan> remote_plan = PlanMemory(options);
  ASSERT_TRUE(local_plan && remote_plan);
  EXPECT_EQ(remote_plan->budget_floor_bytes, local_plan->budget_floor_bytes);
  EXPECT_EQ(remote_plan->expert_total_bytes, local_plan->expert_total_bytes);
}

TEST_F(RemoteHeaderTest, FetchesMoreUntilItIsWhole) {
  const auto two_mib = [](std::span<const std::byte> bytes,
                          std::uint64_t) -> Result<std::optional<HeaderFacts>> {
    if (bytes.size() < 2 * kMiB) return std::nullopt;
    return HeaderFacts{};
  };
  hub_.Script(
      "org/m",
      {{"file",
        {{{"cut", 5000}}, {{"status", 503}}, {{"ignore_range", true}}, {{"ignore_range", true}}}}});
  const Result<RemoteHeader> header = Fetch(File("m.gguf"), two_mib);
  ASSERT_TRUE(header) << header.error().ToString();
  EXPECT_EQ(header->fetched_bytes, 2 * kMiB);
  EXPECT_TRUE(ReadFile(path_).substr(0, 2 * kMiB) == bytes_.substr(0, 2 * kMiB));
}

TEST_F(RemoteHeaderTest, SaysWhatIsWrong) {
  EXPECT_EQ(Fetch(File("text.gguf"), CheckGgufHeader).error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Fetch(File("none.gguf"), CheckGgufHeader).error().code(), StatusCode::kNotFound);
  const auto never = [](std::span<const std::byte>,
                        std::uint64_t) -> Result<std::optional<HeaderFacts>> {
    return std::nullopt;
  };
  EXPECT_THAT(Fetch(File("text.gguf"), never).error().message(),
              HasSubstr("ends before its header"));
  TransferFile file = File("m.gguf");
  file.bytes = bytes_.size() + 1;
  EXPECT_EQ(Fetch(file, CheckGgufHeader).error().code(), StatusCode::kDataLoss);
  hub_.Script("org/m", {{"file", {{{"cut", 5000}}, {{"shift", 7}}}}});
  EXPECT_EQ(Fetch(File("m.gguf"), CheckGgufHeader).error().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace edgemoe
