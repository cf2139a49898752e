// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/expert_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/checksum.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kLayers = 3;
constexpr std::uint32_t kExperts = 50;  // with three layers, more than two words of bits

// Experts of three matrices whose ends lie inside blocks, as in stock files.
class ExpertVerifierTest : public testing::Test {
 protected:
  ExpertVerifierTest() {
    layout_.layer_count = kLayers;
    layout_.experts_per_layer = kExperts;
    std::uint64_t offset = 100;
    for (std::size_t i = 0; i < kLayers * kExperts; ++i) {
      ExpertExtents extents;
      for (ExpertExtent& extent : extents) {
        extent = {.file_index = 0, .offset = offset, .bytes = 1000 + i};
        offset += extent.bytes + 5000;
      }
      layout_.extents.push_back(extents);
    }
    for (std::size_t i = 0; i < layout_.extents.size(); ++i) {
      Checksum64 checksum;
      for (const std::vector<std::byte>& matrix : Matrices(i)) checksum.Update(matrix);
      layout_.checksums.push_back(checksum.value());
    }
  }

  static ExpertKey Key(std::size_t index) {
    return {ExpertLayerIndex{static_cast<std::uint32_t>(index / kExperts)},
            ExpertIndex{static_cast<std::uint32_t>(index % kExperts)}};
  }

  std::vector<std::vector<std::byte>> Matrices(std::size_t index) const {
    std::vector<std::vector<std::byte>> matrices;
    for (std::size_t role = 0; role < kExpertRoleCount; ++role)
      matrices.push_back(RandomBytes(layout_.extents[index][role].bytes, index * 3 + role));
    return matrices;
  }

  // A slot with the expert in it, and what is around it in its blocks.
  std::vector<std::byte> Slot(std::size_t index) const {
    const ExpertReads plan = LayOutReads(layout_.extents[index]);
    std::vector<std::byte> slot = RandomBytes(plan.slot_bytes, 99);
    for (std::size_t role = 0; role < kExpertRoleCount; ++role)
      std::ranges::copy(Matrices(index)[role],
                        slot.begin() + static_cast<std::ptrdiff_t>(plan.matrix_offsets[role]));
    return slot;
  }

  Status Verify(ExpertVerifier& verifier, std::size_t index,
                std::span<const std::byte> slot) const {
    return verifier.Verify(Key(index), slot, LayOutReads(layout_.extents[index]));
  }

  ExpertLayout layout_;
};

TEST_F(ExpertVerifierTest, RightBytesAreVerifiedOnce) {
  ExpertVerifier verifier(layout_);
  for (std::size_t i = 0; i < layout_.extents.size(); ++i) {
    EXPECT_TRUE(verifier.IsDue(Key(i)));
    EXPECT_EQ(Verify(verifier, i, Slot(i)), OkStatus());
    EXPECT_FALSE(verifier.IsDue(Key(i)));
  }
  // Not looked at again.
  EXPECT_EQ(Verify(verifier, 7, std::vector<std::byte>(Slot(7).size())), OkStatus());
}

TEST_F(ExpertVerifierTest, AFlippedBitInAnyMatrixNamesTheExpert) {
  const TestFile file(8192, 1);
  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(file.path()));
  const std::size_t index = kExperts + 9;
  const ExpertReads plan = LayOutReads(layout_.extents[index]);
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    for (const std::uint64_t at : {std::uint64_t{0}, layout_.extents[index][role].bytes - 1}) {
      ExpertVerifier verifier(layout_, files);
      std::vector<std::byte> slot = Slot(index);
      slot[plan.matrix_offsets[role] + at] ^= std::byte{4};
      const Status status = Verify(verifier, index, slot);
      EXPECT_EQ(status.code(), StatusCode::kDataLoss);
      EXPECT_THAT(status.message(), HasSubstr("expert 9 of layer 1"));
      EXPECT_THAT(status.message(), HasSubstr(file.path()));
      EXPECT_THAT(status.message(), HasSubstr(ChecksumText(layout_.checksums[index])));
      EXPECT_TRUE(verifier.IsDue(Key(index)));
      EXPECT_EQ(Verify(verifier, index, Slot(index)), OkStatus()) << "read anew";
    }
  }
}

TEST_F(ExpertVerifierTest, OneDamagedExpertLeavesTheOthers) {
  ExpertVerifier verifier(layout_);
  EXPECT_FALSE(Verify(verifier, 63, std::vector<std::byte>(Slot(63).size())).ok());
  EXPECT_EQ(Verify(verifier, 62, Slot(62)), OkStatus());
  EXPECT_EQ(Verify(verifier, 64, Slot(64)), OkStatus());
  EXPECT_TRUE(verifier.IsDue(Key(63)));
}

// Appends to a file, as a careless program would.
void WriteTo(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "ab");
  ASSERT_NE(file, nullptr);
  std::fputs("more", file);
  ASSERT_EQ(std::fclose(file), 0);
}

TEST_F(ExpertVerifierTest, AFileThatWasWrittenToIsVerifiedAnew) {
  const TestFile file(8192, 1);
  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(file.path()));
  ExpertVerifier verifier(layout_, files);
  EXPECT_EQ(Verify(verifier, 149, Slot(149)), OkStatus());
  const std::vector<std::byte> damaged(Slot(149).size());
  EXPECT_EQ(Verify(verifier, 149, damaged), OkStatus());
  WriteTo(file.path());
  EXPECT_EQ(Verify(verifier, 149, damaged).code(), StatusCode::kDataLoss);
  EXPECT_EQ(Verify(verifier, 149, Slot(149)), OkStatus()) << "its own bytes were not touched";
  EXPECT_FALSE(verifier.IsDue(Key(149)));
}

TEST_F(ExpertVerifierTest, WithoutChecksumsAFileThatWasWrittenToIsNotTrusted) {
  layout_.checksums.clear();
  const TestFile file(8192, 1);
  std::vector<StorageFile> files;
  files.push_back(*StorageFile::Open(file.path()));
  ExpertVerifier verifier(layout_, files);
  EXPECT_EQ(Verify(verifier, 0, Slot(0)), OkStatus());
  WriteTo(file.path());
  for (int i = 0; i < 2; ++i) {
    const Status status = Verify(verifier, 0, Slot(0));
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(file.path()));
  }
}

TEST_F(ExpertVerifierTest, WithoutChecksumsNothingIsDue) {
  layout_.checksums.clear();
  ExpertVerifier verifier(layout_);
  EXPECT_FALSE(verifier.IsDue(Key(0)));
  EXPECT_EQ(Verify(verifier, 0, std::vector<std::byte>(Slot(0).size())), OkStatus());
}

TEST_F(ExpertVerifierTest, DoesNotAllocate) {
  ExpertVerifier verifier(layout_);
  const std::vector<std::byte> slot = Slot(5);
  const std::uint64_t before = AllocationCount();
  EXPECT_TRUE(Verify(verifier, 5, slot).ok());
  EXPECT_EQ(AllocationCount(), before);
}

}  // namespace
}  // namespace edgemoe
