// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/engine/gguf/raw_gguf.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Part {
  std::uint16_t number = 0;
  std::uint16_t count = 0;
  std::int32_t tensors_in_all = 0;
  std::string tensor;
  std::string architecture = {};
};

GgufFile MakePart(const Part& part) {
  RawGguf raw(1, part.architecture.empty() ? 3 : 4);
  if (!part.architecture.empty()) raw.Key("general.architecture", 8).Text(part.architecture);
  raw.Key("split.no", 2).Number(part.number);
  raw.Key("split.count", 2).Number(part.count);
  raw.Key("split.tensors.count", 5).Number(part.tensors_in_all);
  raw.Tensor(part.tensor, {8}, 0, 0).Pad().Zeros(32);
  return *ParseGguf(raw.bytes(), raw.size());
}

Result<GgufSet> Merge(const std::vector<Part>& parts) {
  std::vector<GgufFile> files;
  for (const Part& part : parts) files.push_back(MakePart(part));
  return GgufSet::Merge(std::move(files));
}

void ExpectRefused(const std::vector<Part>& parts, const std::vector<std::string>& message) {
  const Result<GgufSet> set = Merge(parts);
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code(), StatusCode::kInvalidArgument);
  for (const std::string& piece : message) EXPECT_THAT(set.error().message(), HasSubstr(piece));
}

TEST(GgufPartPathsTest, NamesAllParts) {
  EXPECT_THAT(*GgufPartPaths("/m/x-00001-of-00003.gguf"),
              ElementsAre("/m/x-00001-of-00003.gguf", "/m/x-00002-of-00003.gguf",
                          "/m/x-00003-of-00003.gguf"));
  EXPECT_THAT(*GgufPartPaths("x-00001-of-00001.gguf"), ElementsAre("x-00001-of-00001.gguf"));
}

TEST(GgufPartPathsTest, OtherNamesStandAlone) {
  for (const char* path :
       {"model.gguf", "", "x-0001-of-0002.gguf", "x-00001-of-00002", "-00001-of-00002.gguf",
        "x-00001-OF-00002.gguf", "x-0000a-of-00002.gguf", "x-00001-of-00002.gguf.partial",
        "x-+0001-of-00002.gguf", "x-    1-of-    2.gguf"})
    EXPECT_THAT(*GgufPartPaths(path), ElementsAre(path)) << path;
}

TEST(GgufPartPathsTest, RefusesLaterPartsAndCountsOutOfRange) {
  const auto message = [](const char* path) { return GgufPartPaths(path).error().message(); };
  EXPECT_THAT(message("x-00002-of-00003.gguf"), HasSubstr("part 2; expected the first"));
  EXPECT_THAT(message("x-00000-of-00003.gguf"), HasSubstr("part 0"));
  EXPECT_THAT(message("x-00001-of-00000.gguf"), HasSubstr("0 parts; accepted are 1 to 1024"));
  EXPECT_THAT(message("x-00001-of-99999.gguf"), HasSubstr("99999 parts"));
}

TEST(GgufSetTest, OneFileNeedsNoSplitKeys) {
  const RawGguf raw = RawGguf(1, 0).Tensor("t", {8}, 0, 0).Pad().Zeros(32);
  std::vector<GgufFile> files;
  files.push_back(*ParseGguf(raw.bytes(), raw.size()));
  const Result<GgufSet> set = GgufSet::Merge(std::move(files));
  ASSERT_TRUE(set.has_value()) << set.error().message();
  EXPECT_EQ(set->file_count(), 1u);
  EXPECT_EQ(set->FindTensor("t")->file_index, 0u);
}

TEST(GgufSetTest, EachTensorKnowsItsFile) {
  const Result<GgufSet> set = Merge({{0, 3, 3, "b", "qwen3moe"}, {1, 3, 3, "a"}, {2, 3, 3, "c"}});
  ASSERT_TRUE(set.has_value()) << set.error().message();
  EXPECT_EQ(set->metadata().GetString("general.architecture"), "qwen3moe");
  ASSERT_EQ(set->tensors().size(), 3u);
  EXPECT_EQ(set->FindTensor("a")->file_index, 1u);
  EXPECT_EQ(set->FindTensor("b")->file_index, 0u);
  EXPECT_EQ(set->FindTensor("c")->file_index, 2u);
  EXPECT_EQ(set->FindTensor("d"), nullptr);
}

TEST(GgufSetTest, RefusesAMissingPart) {
  ExpectRefused({{0, 3, 3, "a"}}, {"part 1", "\"split.count\"", "found 3", "expected 1"});
  ExpectRefused({{0, 3, 3, "a"}, {1, 3, 3, "b"}}, {"\"split.count\"", "found 3", "expected 2"});
}

TEST(GgufSetTest, RefusesPartsInTheWrongPlace) {
  ExpectRefused({{1, 2, 2, "a"}, {0, 2, 2, "b"}}, {"part 1", "\"split.no\"", "found 1"});
  ExpectRefused({{0, 2, 2, "a"}, {0, 2, 2, "b"}}, {"part 2", "\"split.no\"", "expected 1"});
  ExpectRefused({{1, 1, 1, "a"}}, {"\"split.no\"", "found 1", "expected 0"});
}

TEST(GgufSetTest, RefusesPartsThatDisagree) {
  ExpectRefused({{0, 2, 2, "a"}, {1, 5, 2, "b"}}, {"part 2", "\"split.count\"", "found 5"});
  ExpectRefused({{0, 2, 9, "a"}, {1, 2, 9, "b"}},
                {"\"split.tensors.count\"", "found 9", "expected 2"});
  ExpectRefused({{0, 2, 2, "a"}, {1, 2, -2, "b"}}, {"part 2", "i32 -2"});
  ExpectRefused({{0, 2, 2, "a", "qwen3moe"}, {1, 2, 2, "b", "llama"}},
                {"part 2", "string \"llama\"", "string \"qwen3moe\""});
}

TEST(GgufSetTest, RefusesATensorInTwoParts) {
  ExpectRefused({{0, 2, 2, "same"}, {1, 2, 2, "same"}}, {"part 2", "tensor \"same\""});
}

TEST(GgufSetTest, RefusesPartsWithoutSplitKeys) {
  const RawGguf raw = RawGguf(1, 0).Tensor("t", {8}, 0, 0).Pad().Zeros(32);
  std::vector<GgufFile> files;
  files.push_back(*ParseGguf(raw.bytes(), raw.size()));
  files.push_back(*ParseGguf(raw.bytes(), raw.size()));
  const Result<GgufSet> set = GgufSet::Merge(std::move(files));
  ASSERT_FALSE(set.has_value());
  EXPECT_EQ(set.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(set.error().message(), HasSubstr("part 1: key \"split.count\""));
}

}  // namespace
}  // namespace edgemoe
