// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/engine/gguf/raw_gguf.h"

namespace edgemoe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<GgufFile> Parse(const RawGguf& raw) { return ParseGguf(raw.bytes(), raw.size()); }

// One key of every type, and two tensors.
RawGguf Everything(std::uint32_t version) {
  RawGguf raw(2, 15, version);
  raw.Key("u8", 0).Number(std::uint8_t{200});
  raw.Key("i8", 1).Number(std::int8_t{-3});
  raw.Key("u16", 2).Number(std::uint16_t{60000});
  raw.Key("i16", 3).Number(std::int16_t{-300});
  raw.Key("u32", 4).Number(std::uint32_t{4000000000});
  raw.Key("i32", 5).Number(std::int32_t{-70000});
  raw.Key("f32", 6).Number(1.5f);
  raw.Key("bool", 7).Number(std::uint8_t{1});
  raw.Key("string", 8).Text("words");
  raw.Key("strings", 9).U32(8).U64(3).Text("a").Text("").Text("ccc");
  raw.Key("u64", 10).Number(std::uint64_t{1} << 40);
  raw.Key("i64", 11).Number(std::int64_t{-5});
  raw.Key("f64", 12).Number(2.25);
  raw.Key("ints", 9).U32(5).U64(3).Number(-1).Number(0).Number(7);
  raw.Key("nested", 9).U32(9).U64(2);
  raw.U32(6).U64(1).Number(0.5f);
  raw.U32(9).U64(1).U32(4).U64(2).U32(8).U32(9);
  raw.Tensor("first", {32, 3}, 8, 0);          // Q8_0: 102 bytes
  raw.Tensor("second", {4, 2, 2, 2}, 0, 128);  // F32: 128 bytes
  return raw.Pad().Zeros(256);
}

TEST(GgufReaderTest, ReadsEveryTypeInBothVersions) {
  for (const std::uint32_t version : {2u, 3u}) {
    const Result<GgufFile> file = Parse(Everything(version));
    ASSERT_TRUE(file.has_value()) << file.error().message();
    EXPECT_EQ(file->version(), version);
    EXPECT_EQ(file->metadata().size(), 15u);
    EXPECT_EQ(file->GetU32("u8"), 200u);
    EXPECT_EQ(*file->Find("i8"), GgufValue(std::int8_t{-3}));
    EXPECT_EQ(file->GetU32("u16"), 60000u);
    EXPECT_EQ(*file->Find("i16"), GgufValue(std::int16_t{-300}));
    EXPECT_EQ(file->GetU32("u32"), 4000000000u);
    EXPECT_EQ(*file->Find("i32"), GgufValue(std::int32_t{-70000}));
    EXPECT_EQ(file->GetF32("f32"), 1.5f);
    EXPECT_EQ(file->GetBool("bool"), true);
    EXPECT_EQ(file->GetString("string"), "words");
    EXPECT_EQ(file->GetU64("u64"), std::uint64_t{1} << 40);
    EXPECT_EQ(*file->Find("i64"), GgufValue(std::int64_t{-5}));
    EXPECT_EQ(file->GetF32("f64"), 2.25f);
    EXPECT_THAT(*file->GetInt32Array("ints"), ElementsAre(-1, 0, 7));
    const GgufArray& strings = **file->GetStrings("strings");
    ASSERT_EQ(strings.size(), 3u);
    EXPECT_EQ(strings.StringAt(0), "a");
    EXPECT_EQ(strings.StringAt(1), "");
    EXPECT_EQ(strings.StringAt(2), "ccc");
    const auto& nested = std::get<GgufArray>(*file->Find("nested")).nested();
    ASSERT_EQ(nested.size(), 2u);
    EXPECT_EQ(nested[1].nested()[0].size(), 2u);
  }
}

TEST(GgufReaderTest, DescribesTensors) {
  const RawGguf raw = Everything(3);
  const Result<GgufFile> file = Parse(raw);
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->data_offset() + 256, raw.size());
  const GgufTensor* first = file->FindTensor("first");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->type, TensorType::kQ8_0);
  EXPECT_EQ(first->columns(), 32u);
  EXPECT_EQ(first->rows(), 3u);
  EXPECT_EQ(first->ShapeText(), "[32, 3]");
  EXPECT_EQ(first->offset, file->data_offset());
  EXPECT_EQ(first->bytes, 102u);
  const GgufTensor* second = file->FindTensor("second");
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->rows(), 8u);
  EXPECT_EQ(second->offset, file->data_offset() + 128);
  EXPECT_EQ(second->bytes, 128u);
  EXPECT_EQ(file->FindTensor("third"), nullptr);
  EXPECT_EQ(file->FindTensor(""), nullptr);
}

TEST(GgufReaderTest, OwnsWhatItSays) {
  GgufFile copy;
  {
    const RawGguf raw = Everything(3);
    GgufFile file = *Parse(raw);
    copy = std::move(file);
  }
  EXPECT_EQ(copy.GetString("string"), "words");
  EXPECT_EQ((*copy.GetStrings("strings"))->StringAt(2), "ccc");
  EXPECT_NE(copy.FindTensor("second"), nullptr);
}

TEST(GgufReaderTest, HonoursAlignment) {
  RawGguf raw(1, 1);
  raw.Key("general.alignment", 4).U32(4096).Tensor("t", {8}, 0, 4096).Pad(4096).Zeros(8192);
  const Result<GgufFile> file = Parse(raw);
  ASSERT_TRUE(file.has_value()) << file.error().message();
  EXPECT_EQ(file->alignment(), 4096u);
  EXPECT_EQ(file->tensors()[0].offset, 8192u);
}

// A first part of a split model may hold metadata alone, and need not be padded.
TEST(GgufReaderTest, NoTensorsAtAll) {
  const Result<GgufFile> file = Parse(RawGguf(0, 1).Key("k", 7).Number(std::uint8_t{0}));
  ASSERT_TRUE(file.has_value()) << file.error().message();
  EXPECT_TRUE(file->tensors().empty());
}

TEST(GgufReaderTest, GettersNameKeyValueAndWhatIsAccepted) {
  const GgufFile file = *Parse(Everything(3));
  const auto expect = [](const Status& status, StatusCode code, std::vector<std::string> parts) {
    EXPECT_EQ(status.code(), code) << status.message();
    for (const std::string& part : parts) EXPECT_THAT(status.message(), HasSubstr(part));
  };
  expect(file.GetU32("absent").error(), StatusCode::kNotFound, {"\"absent\"", "integer"});
  expect(file.GetU32("i32").error(), StatusCode::kInvalidArgument,
         {"\"i32\"", "i32 -70000", "0 to 4294967295"});
  expect(file.GetU32("u64").error(), StatusCode::kInvalidArgument, {"u64 1099511627776"});
  expect(file.GetU32("bool").error(), StatusCode::kInvalidArgument, {"bool true"});
  expect(file.GetU64("i64").error(), StatusCode::kInvalidArgument, {"i64 -5"});
  expect(file.GetF32("u32").error(), StatusCode::kInvalidArgument, {"u32 4000000000", "f32"});
  expect(file.GetBool("u8").error(), StatusCode::kInvalidArgument, {"u8 200", "a bool"});
  expect(file.GetString("f32").error(), StatusCode::kInvalidArgument, {"f32 1.5", "a string"});
  expect(file.GetStrings("ints").error(), StatusCode::kInvalidArgument, {"array of 3 i32"});
  expect(file.GetStrings("string").error(), StatusCode::kInvalidArgument, {"string \"words\""});
  expect(file.GetInt32Array("strings").error(), StatusCode::kInvalidArgument,
         {"array of 3 string"});
  expect(file.GetF32Array("ints").error(), StatusCode::kInvalidArgument, {"array of f32"});
  expect(file.GetF32Array("absent").error(), StatusCode::kNotFound, {"\"absent\""});
}

TEST(GgufReaderTest, FallbacksAreForMissingKeysOnly) {
  const GgufFile file = *Parse(Everything(3));
  EXPECT_EQ(file.GetU32Or("absent", 5), 5u);
  EXPECT_EQ(file.GetU32Or("u8", 5), 200u);
  EXPECT_FALSE(file.GetU32Or("string", 5).has_value());
  EXPECT_EQ(file.GetF32Or("absent", 0.5f), 0.5f);
  EXPECT_EQ(file.GetBoolOr("absent", true), true);
  EXPECT_EQ(file.GetStringOr("absent", "none"), "none");
  EXPECT_FALSE(file.GetStringOr("u8", "none").has_value());
}

TEST(GgufReaderTest, HoldsAVocabularyOf150000) {
  constexpr std::uint64_t kTokens = 150000;
  RawGguf raw(0, 1);
  raw.Key("tokens", 9).U32(8).U64(kTokens);
  for (std::uint64_t i = 0; i < kTokens; ++i) raw.Text("t" + std::to_string(i));
  const Result<GgufFile> file = Parse(raw);
  ASSERT_TRUE(file.has_value());
  const GgufArray& tokens = **file->GetStrings("tokens");
  ASSERT_EQ(tokens.size(), kTokens);
  EXPECT_EQ(tokens.StringAt(149999), "t149999");
}

TEST(GgufReaderTest, AsksForMoreWhenGivenAPrefix) {
  const RawGguf raw = Everything(3);
  const std::uint64_t header_bytes = Parse(raw)->data_offset();
  std::uint64_t needed = 0;
  for (std::uint64_t given = 0; given <= raw.size(); ++given) {
    const Result<GgufFile> file = ParseGguf(raw.bytes().first(given), raw.size());
    if (file.has_value()) {
      EXPECT_LE(given, header_bytes);
      needed = given;
      break;
    }
    ASSERT_EQ(file.error().code(), StatusCode::kOutOfRange) << given << file.error().message();
  }
  EXPECT_GT(needed, header_bytes - 32);
}

TEST(GgufReaderTest, RefusesEveryTruncation) {
  const RawGguf raw = Everything(3);
  const std::uint64_t tensors_end = raw.size();  // of the last tensor's data
  for (std::uint64_t given = 0; given < tensors_end; ++given) {
    const Result<GgufFile> file = ParseGguf(raw.bytes().first(given), given);
    ASSERT_FALSE(file.has_value()) << given;
    EXPECT_EQ(file.error().code(), StatusCode::kInvalidArgument) << file.error().message();
  }
}

}  // namespace
}  // namespace edgemoe
