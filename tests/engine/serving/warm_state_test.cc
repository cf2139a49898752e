// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/warm_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/base/random.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

ExpertKey Key(std::uint32_t layer, std::uint32_t expert) {
  return {ExpertLayerIndex{layer}, ExpertIndex{expert}};
}

// Layer 0 has no experts.
ExpertLayout Layout() {
  ExpertLayout layout;
  layout.layer_count = 3;
  layout.experts_per_layer = 4;
  for (std::uint64_t i = 0; i < 12; ++i) {
    ExpertExtents extents;
    for (ExpertExtent& extent : extents) extent = {.offset = i << 12, .bytes = i < 4 ? 0u : 4096u};
    layout.extents.push_back(extents);
  }
  return layout;
}

class StateFileTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::vector<char> Bytes() const {
    std::ifstream file(file_.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void SetBytes(const std::vector<char>& bytes) const {
    std::ofstream(file_.path(), std::ios::binary).write(bytes.data(), std::ssize(bytes));
  }

  const std::string root_ = testing::TempDir() + "state-" + std::to_string(::getpid());
  const std::string directory_ = root_ + "/deeper";
  const StateFile file_{directory_, "warm", 0x1234};
  const std::vector<std::byte> payload_ = EncodeKeys(std::vector{Key(1, 2), Key(2, 0)});
};

TEST_F(StateFileTest, GivesBackWhatWasWritten) {
  EXPECT_EQ(file_.path(), directory_ + "/warm-0000000000001234.bin");
  EXPECT_EQ(file_.Read().error().code(), StatusCode::kNotFound);
  ASSERT_TRUE(file_.Write({}).ok());
  EXPECT_EQ(file_.Read()->size(), 0u);
  ASSERT_TRUE(file_.Write(payload_).ok());
  EXPECT_EQ(*file_.Read(), payload_);
  // Nothing is left beside it.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(StateFileTest, WithoutADirectoryThereIsNone) {
  EXPECT_FALSE(StateFile("", "warm", 1).enabled());
}

TEST_F(StateFileTest, AnyChangedBitAndAnyCutIsNoticed) {
  ASSERT_TRUE(file_.Write(payload_).ok());
  const std::vector<char> good = Bytes();
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::vector<char> bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    SetBytes(bad);
    ASSERT_FALSE(file_.Read()) << "bit " << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    SetBytes({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
    ASSERT_EQ(file_.Read().error().code(), StatusCode::kDataLoss) << size;
  }
  std::vector<char> longer = good;
  longer.push_back(0);
  SetBytes(longer);
  EXPECT_THAT(file_.Read().error().message(), HasSubstr("checksum"));
  SetBytes(good);
  EXPECT_TRUE(file_.Read());
}

TEST_F(StateFileTest, OtherVersionsModelsAndKindsAreRefused) {
  ASSERT_TRUE(file_.Write(payload_).ok());
  std::vector<char> newer = Bytes();
  newer[8] = 2;
  SetBytes(newer);
  EXPECT_EQ(file_.Read().error().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(file_.Read().error().message(), HasSubstr("found version 2"));

  const StateFile other(directory_, "warm", 0x9999);
  ASSERT_TRUE(other.Write(payload_).ok());
  std::filesystem::rename(other.path(), file_.path());
  EXPECT_THAT(file_.Read().error().message(), HasSubstr("another model"));
  const StateFile path(directory_, "path", 0x1234);
  ASSERT_TRUE(path.Write(payload_).ok());
  std::filesystem::rename(path.path(), file_.path());
  EXPECT_EQ(file_.Read().error().code(), StatusCode::kFailedPrecondition);
}

TEST_F(StateFileTest, WhereNothingCanBeWrittenThatIsSaid) {
  const StateFile nowhere("/proc/nowhere", "warm", 1);
  const Status status = nowhere.Write(payload_);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("/proc/nowhere"));
}

TEST(WarmKeysTest, KeepTheirOrder) {
  const std::vector<ExpertKey> keys = {Key(2, 3), Key(1, 0), Key(2, 0)};
  EXPECT_EQ(*DecodeKeys(EncodeKeys(keys), Layout()), keys);
  EXPECT_TRUE(DecodeKeys({}, Layout())->empty());
}

TEST(WarmKeysTest, OnlyExpertsOfTheModelOnce) {
  const std::vector<std::vector<ExpertKey>> bad = {
      {Key(3, 0)}, {Key(1, 4)}, {Key(0, 0)}, {Key(1, 1), Key(1, 1)}, {Key(0xffffffff, 0)}};
  for (const std::vector<ExpertKey>& keys : bad)
    EXPECT_EQ(DecodeKeys(EncodeKeys(keys), Layout()).error().code(), StatusCode::kDataLoss);
  std::vector<std::byte> odd = EncodeKeys(std::vector{Key(1, 1)});
  odd.pop_back();
  EXPECT_FALSE(DecodeKeys(odd, Layout()));
}

TEST(ModelDigestTest, DiffersWhereTheModelDoes) {
  ModelDescription description;
  description.name = "a";
  description.file_bytes = 100;
  const std::uint64_t digest = ModelDigest(description, Layout());
  EXPECT_EQ(digest, ModelDigest(description, Layout()));
  ModelDescription other = description;
  other.name = "b";
  EXPECT_NE(digest, ModelDigest(other, Layout()));
  ExpertLayout moved = Layout();
  moved.extents[7][1].offset += 32;
  EXPECT_NE(digest, ModelDigest(description, moved));
}

}  // namespace
}  // namespace edgemoe
