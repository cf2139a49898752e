// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "tests/support/test_file.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kIdentity = "0123456789abcdef0123456789abcdef";
constexpr std::size_t kPiecesMax = 10;

class PackJournalTest : public testing::Test {
 protected:
  std::vector<std::uint64_t> Reopened(const std::string& identity = kIdentity,
                                      std::size_t pieces_max = kPiecesMax, bool may_resume = true) {
    const auto journal = PackJournal::Open(file_.path(), identity, pieces_max, may_resume);
    EXPECT_TRUE(journal) << journal.error().ToString();
    std::vector<std::uint64_t> checksums;
    for (const PackPiece& piece : journal->pieces()) {
      EXPECT_EQ(piece.source_checksum, 100 + piece.checksum);
      checksums.push_back(piece.checksum);
    }
    return checksums;
  }

  void Write(const std::vector<std::vector<std::uint64_t>>& records) {
    auto journal = PackJournal::Open(file_.path(), kIdentity, kPiecesMax, true);
    ASSERT_TRUE(journal) << journal.error().ToString();
    for (const auto& record : records) {
      std::vector<PackPiece> pieces;
      for (const std::uint64_t checksum : record) pieces.push_back({100 + checksum, checksum});
      ASSERT_TRUE(journal->Append(pieces).ok());
    }
  }

  std::string Bytes() const {
    std::ifstream in(file_.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void SetBytes(const std::string& bytes) const {
    std::ofstream(file_.path(), std::ios::binary | std::ios::trunc) << bytes;
  }

  TestFile file_{0, 1};
};

TEST_F(PackJournalTest, KeepsWhatWasAppended) {
  Write({{1, 2}, {}, {3}});
  EXPECT_THAT(Reopened(), ElementsAre(1, 2, 3));
  Write({{4}});
  EXPECT_THAT(Reopened(), ElementsAre(1, 2, 3, 4));
}

TEST_F(PackJournalTest, AnotherJobsJournalIsThrownAway) {
  Write({{1, 2}});
  EXPECT_THAT(Reopened("f" + std::string(kIdentity + 1)), IsEmpty());
  EXPECT_THAT(Reopened(), IsEmpty());
}

TEST_F(PackJournalTest, NothingIsKeptOfAFileThatIsNotThere) {
  Write({{1, 2}});
  EXPECT_THAT(Reopened(kIdentity, kPiecesMax, false), IsEmpty());
  EXPECT_THAT(Reopened(), IsEmpty());
}

TEST_F(PackJournalTest, MorePiecesThanThereAreEndIt) {
  Write({{1, 2}, {3, 4, 5}});
  EXPECT_THAT(Reopened(kIdentity, 4), ElementsAre(1, 2));
}

TEST_F(PackJournalTest, ARecordCutAnywhereEndsIt) {
  Write({{1, 2}});
  const std::size_t first = Bytes().size();
  Write({{3, 4, 5}});
  const std::string whole = Bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SetBytes(whole.substr(0, size));
    const auto found = Reopened();
    if (size >= first) {
      ASSERT_THAT(found, ElementsAre(1, 2)) << size;
      Write({{6}});
      ASSERT_THAT(Reopened(), ElementsAre(1, 2, 6)) << "goes on from there";
    } else {
      ASSERT_THAT(found, IsEmpty()) << size;
    }
  }
}

TEST_F(PackJournalTest, AFlippedBitAnywhereEndsIt) {
  Write({{1, 2}, {3}});
  const std::string whole = Bytes();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    SetBytes(damaged);
    const auto found = Reopened();
    ASSERT_LT(found.size(), 3u) << bit;
    if (!found.empty()) {
      ASSERT_THAT(found, ElementsAre(1, 2)) << bit;
    }
  }
}

TEST_F(PackJournalTest, NamesThePathOfWhatCannotBeOpened) {
  const auto journal = PackJournal::Open("/nowhere/x.journal", kIdentity, kPiecesMax, true);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code(), StatusCode::kNotFound);
  EXPECT_THAT(journal.error().message(), testing::HasSubstr("/nowhere/x.journal"));
}

}  // namespace
}  // namespace edgemoe
