// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <vector>

namespace edgemoe {
namespace {

using testing::HasSubstr;

Result<GgufFile> Parse(const GgufHeader& header) {
  return ParseGguf(std::as_bytes(std::span<const char>(header.bytes)), header.file_bytes);
}

Status Add(GgufWriter& writer, const char* name, TensorType type,
           const std::vector<std::uint64_t>& dims) {
  return writer.AddTensor(name, type, dims);
}

std::vector<GgufEntry> EveryType() {
  GgufArray nested(GgufValueType::kArray);
  nested.AppendArray(GgufArray::OfInt32({1, -2}));
  nested.AppendArray(GgufArray::OfStrings({"x"}));
  return {{"u8", std::uint8_t{1}},
          {"i8", std::int8_t{-1}},
          {"u16", std::uint16_t{2}},
          {"i16", std::int16_t{-2}},
          {"u32", std::uint32_t{3}},
          {"i32", std::int32_t{-3}},
          {"f32", 0.5f},
          {"bool", true},
          {"string", std::string("text\0with zero", 14)},
          {"strings", GgufArray::OfStrings({"", "b", std::string(1000, 'c')})},
          {"floats", GgufArray::OfFloat32({1.5f, -2.0f})},
          {"empty", GgufArray::OfInt32({})},
          {"nested", nested},
          {"u64", ~std::uint64_t{0}},
          {"i64", std::int64_t{-4}},
          {"f64", 0.25}};
}

TEST(GgufWriterTest, ReaderGetsBackWhatWasWritten) {
  for (const std::uint32_t alignment : {1u, 32u, 4096u}) {
    GgufWriter writer(alignment);
    for (const GgufEntry& entry : EveryType())
      ASSERT_TRUE(writer.Set(entry.key, entry.value).ok()) << entry.key;
    ASSERT_TRUE(Add(writer, "z", TensorType::kQ4_K, {256, 3}).ok());
    ASSERT_TRUE(Add(writer, "a", TensorType::kF32, {5}).ok());
    ASSERT_TRUE(Add(writer, "m", TensorType::kQ8_0, {32, 2, 2, 2}).ok());
    const GgufHeader header = writer.Build();
    EXPECT_EQ(header.bytes.size() % alignment, 0u);
    const Result<GgufFile> file = Parse(header);
    ASSERT_TRUE(file.has_value()) << file.error().message();
    EXPECT_EQ(file->alignment(), alignment);
    EXPECT_EQ(file->data_offset(), header.bytes.size());
    for (const GgufEntry& entry : EveryType()) {
      const GgufValue* found = file->Find(entry.key);
      ASSERT_NE(found, nullptr) << entry.key;
      EXPECT_EQ(*found, entry.value) << entry.key;
    }
    ASSERT_EQ(file->tensors().size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      const GgufTensor& read = file->tensors()[i];
      const GgufTensor& written = header.tensors[i];
      EXPECT_EQ(read.name, written.name);
      EXPECT_EQ(read.type, written.type);
      EXPECT_EQ(read.dims, written.dims);
      EXPECT_EQ(read.dimension_count, written.dimension_count);
      EXPECT_EQ(read.offset, written.offset);
      EXPECT_EQ(read.bytes, written.bytes);
      EXPECT_EQ(read.offset % alignment, 0u);
    }
    EXPECT_EQ(header.tensors[0].bytes, 432u);
    EXPECT_EQ(header.tensors[0].offset, header.bytes.size());
    EXPECT_GE(header.file_bytes, header.tensors[2].offset + header.tensors[2].bytes);
  }
}

TEST(GgufWriterTest, SetReplacesInPlace) {
  GgufWriter writer;
  ASSERT_TRUE(writer.Set("a", 1u).ok());
  ASSERT_TRUE(writer.Set("b", 2u).ok());
  ASSERT_TRUE(writer.Set("a", std::string("new")).ok());
  const GgufFile file = *Parse(writer.Build());
  ASSERT_EQ(file.metadata().size(), 2u);
  EXPECT_EQ(file.metadata()[0].key, "a");
  EXPECT_EQ(file.GetString("a"), "new");
}

TEST(GgufWriterTest, EmptyFileIsValid) {
  const GgufHeader header = GgufWriter().Build();
  EXPECT_EQ(header.bytes.size(), 32u);
  EXPECT_TRUE(Parse(header).has_value());
}

TEST(GgufWriterTest, RefusesWhatReadersWould) {
  GgufWriter writer;
  ASSERT_TRUE(Add(writer, "taken", TensorType::kF32, {1}).ok());
  const auto expect = [](const Status& status, const char* message) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(message));
  };
  expect(Add(writer, "taken", TensorType::kF32, {1}), "added twice");
  expect(Add(writer, "", TensorType::kF32, {1}), "1 to 255 bytes");
  expect(Add(writer, std::string(256, 'n').c_str(), TensorType::kF32, {1}), "1 to 255 bytes");
  expect(Add(writer, "t", TensorType::kF32, {}), "0 dimensions");
  expect(Add(writer, "t", TensorType::kF32, {1, 1, 1, 1, 1}), "5 dimensions");
  expect(Add(writer, "t", TensorType::kF32, {4, 0}), "[4, 0]");
  expect(Add(writer, "t", TensorType::kQ4_K, {128}), "[128] of Q4_K");
  expect(Add(writer, "t", TensorType::kF32, {std::uint64_t{1} << 60}), "too large");
  expect(Add(writer, "t", TensorType::kF32, {std::uint64_t{1} << 62, 16}), "too large");
  expect(writer.Set("", 1u), "1 to 65535 bytes");
  expect(writer.Set(std::string(65536, 'k'), 1u), "1 to 65535 bytes");
  expect(writer.Set("general.alignment", 64u), "general.alignment");
  expect(writer.Set("k", std::string((16u << 20) + 1, 's')), "longer or deeper");
  GgufArray deep = GgufArray::OfInt32({1});
  for (int i = 0; i < 4; ++i) {
    GgufArray outer(GgufValueType::kArray);
    outer.AppendArray(std::move(deep));
    deep = std::move(outer);
  }
  expect(writer.Set("k", deep), "longer or deeper");
  const Result<GgufFile> file = Parse(writer.Build());
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->tensors().size(), 1u);
  EXPECT_TRUE(file->metadata().empty());
}

// A pack of experts: many small tensors, aligned for direct reads.
TEST(GgufWriterTest, TwentyThousandAlignedTensors) {
  GgufWriter writer(4096);
  for (int i = 0; i < 20000; ++i) {
    const std::string name = "blk." + std::to_string(i * 7919 % 20000) + ".weight";
    ASSERT_TRUE(Add(writer, name.c_str(), TensorType::kF32, {1}).ok());
  }
  const GgufHeader header = writer.Build();
  EXPECT_EQ(header.tensors[19999].offset - header.tensors[0].offset, 19999u * 4096);
  EXPECT_TRUE(Parse(header).has_value());
}

TEST(GgufWriterDeathTest, AlignmentsThatReadersRefuseAreBugs) {
  EXPECT_DEATH(GgufWriter(48), "alignment");
  EXPECT_DEATH(GgufWriter(0), "alignment");
}

}  // namespace
}  // namespace edgemoe
