// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/checksum.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/changed_file.h"
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

TEST_F(ExpertVerifierTest, AlwaysComparesEveryRead) {
  ExpertVerifier verifier(layout_, {}, VerifyMode::kAlways);
  std::vector<std::byte> slot = Slot(7);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(verifier.IsDue(Key(7)));
    EXPECT_EQ(Verify(verifier, 7, slot), OkStatus());
  }
  slot[LayOutReads(layout_.extents[7]).matrix_offsets[1]] ^= std::byte{1};
  EXPECT_EQ(Verify(verifier, 7, slot).code(), StatusCode::kDataLoss);
  EXPECT_FALSE(verifier.FilesInDoubt()) << "one expert is damaged, no file has changed";
}

TEST_F(ExpertVerifierTest, FirstComparesEachExpertOnce) {
  ExpertVerifier verifier(layout_, {}, VerifyMode::kFirst);
  for (std::size_t i = 0; i < layout_.extents.size(); ++i) {
    EXPECT_TRUE(verifier.IsDue(Key(i)));
    EXPECT_EQ(Verify(verifier, i, Slot(i)), OkStatus());
    EXPECT_FALSE(verifier.IsDue(Key(i)));
  }
  // Not looked at again.
  EXPECT_EQ(Verify(verifier, 7, std::vector<std::byte>(Slot(7).size())), OkStatus());
}

TEST_F(ExpertVerifierTest, SampleComparesTheFirstReadAndSomeLaterOnes) {
  ExpertVerifier verifier(layout_);
  EXPECT_EQ(Verify(verifier, 7, Slot(7)), OkStatus());
  const std::vector<std::byte> damaged(Slot(7).size());
  std::uint64_t unseen = 0;
  while (Verify(verifier, 7, damaged).ok()) ASSERT_LT(++unseen, kSampledReads);
  EXPECT_EQ(unseen, kSampledReads - 1);
  EXPECT_TRUE(verifier.IsDue(Key(7)));
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

class ChangedFilesTest : public ExpertVerifierTest {
 protected:
  ChangedFilesTest() { files_.push_back(*StorageFile::Open(file_.path())); }

  void Reopen(ExpertVerifier& verifier) {
    files_[0] = *StorageFile::Open(file_.path());
    verifier.OnReopened();
  }

  // As if it had been read from file_.
  std::vector<std::byte> Stored(std::size_t index) const {
    std::vector<std::byte> slot(Slot(index).size());
    const ExpertReads plan = LayOutReads(layout_.extents[index]);
    for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
      const ExpertExtent& extent = layout_.extents[index][role];
      std::ranges::copy(file_.bytes().subspan(extent.offset, extent.bytes),
                        slot.begin() + static_cast<std::ptrdiff_t>(plan.matrix_offsets[role]));
    }
    return slot;
  }

  const TestFile file_{3 << 20, 1};
  std::vector<StorageFile> files_;
};

TEST_F(ChangedFilesTest, AreInDoubtAndAllExpertsAreDue) {
  ExpertVerifier verifier(layout_, files_, VerifyMode::kFirst);
  EXPECT_EQ(Verify(verifier, 149, Slot(149)), OkStatus());
  EXPECT_FALSE(verifier.FilesInDoubt());
  Touch(file_.path());
  EXPECT_TRUE(verifier.FilesInDoubt());
  EXPECT_FALSE(verifier.suspect());
  EXPECT_EQ(Verify(verifier, 149, std::vector<std::byte>(Slot(149).size())).code(),
            StatusCode::kDataLoss);
  EXPECT_EQ(Verify(verifier, 149, Slot(149)), OkStatus()) << "its own bytes were not touched";
  EXPECT_FALSE(verifier.IsDue(Key(149)));
  Reopen(verifier);
  EXPECT_FALSE(verifier.FilesInDoubt());
  EXPECT_TRUE(verifier.IsDue(Key(149)));
}

TEST_F(ChangedFilesTest, OneWrongExpertIsItsOwnAffairASecondOneIsTheFiles) {
  ExpertVerifier verifier(layout_, files_);
  EXPECT_FALSE(Verify(verifier, 148, std::vector<std::byte>(Slot(148).size())).ok())
      << "before anything changed";
  Touch(file_.path());
  Reopen(verifier);
  const std::vector<std::byte> wrong(Slot(149).size());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Verify(verifier, 149, wrong).ok());
  EXPECT_FALSE(verifier.FilesInDoubt());
  EXPECT_FALSE(Verify(verifier, 3, wrong).ok());
  EXPECT_TRUE(verifier.FilesInDoubt());
  EXPECT_EQ(verifier.suspect(), Key(3));
}

TEST_F(ChangedFilesTest, WithoutChecksumsWhatWasReadFirstIsExpected) {
  layout_.checksums.clear();
  ExpertVerifier verifier(layout_, files_, VerifyMode::kAlways);
  EXPECT_EQ(verifier.unknown_count(), layout_.extents.size());
  EXPECT_EQ(Verify(verifier, 0, Slot(0)), OkStatus());
  EXPECT_EQ(verifier.unknown_count(), layout_.extents.size() - 1);
  std::vector<std::byte> other = Slot(0);
  other[LayOutReads(layout_.extents[0]).matrix_offsets[0]] ^= std::byte{1};
  EXPECT_EQ(Verify(verifier, 0, other).code(), StatusCode::kDataLoss);
  Touch(file_.path());
  EXPECT_EQ(Verify(verifier, 0, Slot(0)), OkStatus());
  for (int i = 0; i < 2; ++i) {
    const Status status = Verify(verifier, 1, Slot(1));
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(status.message(), HasSubstr(file_.path()));
  }
  EXPECT_EQ(verifier.unknown_count(), layout_.extents.size() - 1) << "nothing is learnt any more";
}

TEST_F(ChangedFilesTest, ChecksumsAreLearntBeforeTheFileChangesOrNever) {
  layout_.checksums.clear();
  ExpertVerifier verifier(layout_, files_, VerifyMode::kAlways);
  EXPECT_EQ(Verify(verifier, 1, Stored(1)), OkStatus());
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(verifier.LearnNext());
  Touch(file_.path());
  EXPECT_FALSE(verifier.LearnNext());
  EXPECT_EQ(verifier.unknown_count(), layout_.extents.size() - 10);
  EXPECT_EQ(Verify(verifier, 9, Stored(9)), OkStatus());
  EXPECT_EQ(Verify(verifier, 9, Slot(9)).code(), StatusCode::kDataLoss);
  EXPECT_EQ(Verify(verifier, 10, Stored(10)).code(), StatusCode::kDataLoss);
}

TEST_F(ChangedFilesTest, LearntToTheEndTheyAreAllTold) {
  layout_.checksums.clear();
  ExpertVerifier verifier(layout_, files_, VerifyMode::kAlways);
  while (verifier.LearnNext()) continue;
  EXPECT_EQ(verifier.unknown_count(), 0u);
  Touch(file_.path());
  Reopen(verifier);
  for (std::size_t i = 0; i < layout_.extents.size(); ++i) {
    EXPECT_EQ(Verify(verifier, i, Stored(i)), OkStatus());
    EXPECT_EQ(Verify(verifier, i, Slot(i)).code(), StatusCode::kDataLoss);
  }
}

TEST_F(ChangedFilesTest, ReadsOfSeveralExpertsThatFailInARowAreInDoubt) {
  ExpertVerifier verifier(layout_, files_);
  for (std::uint32_t i = 0; i < 3 * ExpertVerifier::kFailuresInARow; ++i)
    verifier.NoteReadFailure(Key(5));
  EXPECT_FALSE(verifier.FilesInDoubt()) << "one bad place";
  EXPECT_EQ(Verify(verifier, 4, Slot(4)), OkStatus());
  for (std::uint32_t i = 0; i < ExpertVerifier::kFailuresInARow - 1; ++i)
    verifier.NoteReadFailure(Key(i));
  EXPECT_FALSE(verifier.FilesInDoubt());
  verifier.NoteReadFailure(Key(20));
  EXPECT_TRUE(verifier.FilesInDoubt());
  EXPECT_EQ(verifier.suspect(), Key(20));
  Reopen(verifier);
  EXPECT_FALSE(verifier.FilesInDoubt());
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
