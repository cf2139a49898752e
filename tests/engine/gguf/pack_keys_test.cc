// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/pack_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/gguf/gguf_writer.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::span<const std::byte> Bytes(const std::string& text) {
  return std::as_bytes(std::span<const char>(text));
}

// A pack's header of two tensors and three checksums.
class PackKeysTest : public testing::Test {
 protected:
  PackKeysTest() {
    Set("general.architecture", std::string("qwen3moe"));
    Set(kPackVersionKey, kPackVersion);
    Set(kPackHeaderChecksumKey, std::uint64_t{0});
    Set(kPackExpertChecksumsKey, GgufArray::OfUint64({7, 8, UINT64_MAX}));
    for (const char* name : {"output_norm.weight", "blk.0.ffn_gate.0.weight"}) {
      const std::uint64_t dims[] = {16};
      EXPECT_TRUE(writer_.AddTensor(name, TensorType::kF32, dims).ok());
    }
  }

  void Set(std::string_view key, GgufValue value) {
    EXPECT_TRUE(writer_.Set(key, std::move(value)).ok()) << key;
  }

  // With the right checksum.
  std::string Header() {
    Set(kPackHeaderChecksumKey, std::uint64_t{0});
    const std::string bytes = writer_.Build().bytes;
    Set(kPackHeaderChecksumKey, PackHeaderChecksum(Bytes(bytes)).value());
    return writer_.Build().bytes;
  }

  Status Check(const std::string& header) {
    const auto file = ParseGguf(Bytes(header), header.size() + 2 * std::uint64_t{kPackAlignment});
    if (!file) return file.error();
    return CheckPackHeader(Bytes(header), *file);
  }

  GgufWriter writer_{kPackAlignment};
};

TEST_F(PackKeysTest, ARightHeaderIsAccepted) {
  const std::string header = Header();
  EXPECT_EQ(Check(header), OkStatus());
  const GgufFile file = *ParseGguf(Bytes(header), header.size() + 8192);
  EXPECT_TRUE(IsPack(file));
  EXPECT_THAT(*ReadPackChecksums(file, kPackExpertChecksumsKey, 3), ElementsAre(7, 8, UINT64_MAX));
}

TEST_F(PackKeysTest, EveryFlippedBitIsFound) {
  const std::string header = Header();
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit) {
    std::string damaged = header;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(Check(damaged).ok()) << "byte " << bit / 8 << ", bit " << bit % 8;
  }
}

TEST_F(PackKeysTest, EveryCutIsFound) {
  const std::string header = Header();
  const std::uint64_t file_bytes = header.size() + kPackAlignment + 64;
  for (std::uint64_t size = 0; size < file_bytes; ++size) {
    std::string file = header;
    file.resize(size);
    ASSERT_FALSE(ParseGguf(Bytes(file), size)) << size;
  }
}

TEST_F(PackKeysTest, AChangedKeyIsFound) {
  const std::string header = Header();
  Set("general.architecture", std::string("qwen2moe"));
  const Status status = Check(writer_.Build().bytes);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("checksum"));
}

TEST_F(PackKeysTest, AnotherVersionIsRefusedWithWords) {
  Set(kPackVersionKey, 2u);
  const Status status = Check(Header());
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("edgemoe.pack.version"));
  EXPECT_THAT(status.message(), HasSubstr("found 2, accepted is 1"));
}

TEST_F(PackKeysTest, ALyingCountIsNamed) {
  const std::string header = Header();
  const GgufFile file = *ParseGguf(Bytes(header), header.size() + 8192);
  for (const std::size_t count : {0u, 2u, 4u}) {
    const auto checksums = ReadPackChecksums(file, kPackExpertChecksumsKey, count);
    ASSERT_FALSE(checksums);
    EXPECT_EQ(checksums.error().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(checksums.error().message(),
                HasSubstr("found 3 checksums; expected " + std::to_string(count)));
  }
  EXPECT_EQ(ReadPackChecksums(file, kPackDenseChecksumsKey, 3).error().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(ReadPackChecksums(file, "general.architecture", 3).error().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(PackKeysTest, OtherFilesAreNoPacks) {
  GgufWriter writer;
  ASSERT_TRUE(writer.Set("general.architecture", std::string("qwen3moe")).ok());
  const std::string header = writer.Build().bytes;
  const GgufFile file = *ParseGguf(Bytes(header), header.size());
  EXPECT_FALSE(IsPack(file));
  EXPECT_EQ(CheckPackHeader(Bytes(header), file), OkStatus());
  EXPECT_EQ(PackHeaderChecksum(Bytes(header)).error().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgemoe
