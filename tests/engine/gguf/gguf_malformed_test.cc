// SPDX-License-Identifier: Apache-2.0
//
// Files that lie: each is refused with a message that says where and why, and none allocates what
// it claims to need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/gguf/gguf_reader.h"
#include "tests/engine/gguf/raw_gguf.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kHuge = ~std::uint64_t{0};

struct Malformed {
  const char* name;
  RawGguf raw;
  StatusCode code;
  const char* message;  // a part of it
};

RawGguf OneKey() { return RawGguf(0, 1); }
RawGguf OneTensor() { return RawGguf(1, 0); }

RawGguf DeepArrays(int depth) {
  RawGguf raw = OneKey().Key("deep", 9);
  for (int i = 0; i < depth; ++i) raw.U32(9).U64(1);
  return raw.U32(0).U64(0);
}

RawGguf WithAlignment(std::uint32_t alignment) {
  return OneKey().Key("general.alignment", 4).U32(alignment);
}

std::vector<Malformed> Preambles() {
  const StatusCode invalid = StatusCode::kInvalidArgument;
  const StatusCode unimplemented = StatusCode::kUnimplemented;
  return {
      {"Empty", RawGguf(), invalid, "magic needs 4 bytes"},
      {"Magic", RawGguf().Text("not a model"), invalid, "does not start with \"GGUF\""},
      {"Version1", RawGguf(0, 0, 1), unimplemented, "version 1; accepted are 2 and 3"},
      {"Version4", RawGguf(0, 0, 4), unimplemented, "version 4; accepted are 2 and 3"},
      {"Version0", RawGguf(0, 0, 0), unimplemented, "version 0"},
      {"BigEndian", RawGguf(0, 0, 0x03000000), unimplemented, "big-endian"},
      {"TensorCount", RawGguf(kHuge, 0), invalid, "tensor count is 18446744073709551615"},
      {"TensorCountBeyondFile", RawGguf(1000, 0).Zeros(100), invalid,
       "tensor count is 1000, more than the file's remaining 100 bytes"},
      {"MetadataCount", RawGguf(0, kHuge), invalid, "metadata count is 18446744073709551615"},
      {"MetadataCountBeyondFile", RawGguf(0, 65536).Zeros(64), invalid, "metadata count is 65536"},
  };
}

std::vector<Malformed> Keys() {
  const StatusCode invalid = StatusCode::kInvalidArgument;
  return {
      {"EmptyKey", OneKey().Key("", 0).Zeros(1), invalid, "an empty key"},
      {"KeyLength", OneKey().U64(kHuge).Zeros(64), invalid, "key of 18446744073709551615 bytes"},
      {"LongKey", OneKey().Key(std::string(65536, 'k'), 0).Zeros(1), invalid, "at most 65535"},
      {"KeyBeyondFile", OneKey().U64(5000).Zeros(64), invalid, "key needs 5000 bytes"},
      {"ValueType", OneKey().Key("k", 13).Zeros(64), invalid,
       "value type is 13; accepted are 0 to"},
      {"ValueMissing", OneKey().Key("key.of.value", 10).Zeros(2), invalid, "\"key.of.value\""},
      {"Bool", OneKey().Key("k", 7).Number(std::uint8_t{2}), invalid, "a bool is 2"},
      {"StringLength", OneKey().Key("k", 8).U64(kHuge).Zeros(64), invalid, "at most 16777216"},
      {"StringBeyondFile", OneKey().Key("k", 8).U64(1000).Zeros(64), invalid, "needs 1000 bytes"},
      {"DuplicateKey", RawGguf(0, 2).Key("twin", 0).Zeros(1).Key("twin", 0).Zeros(1), invalid,
       "key \"twin\" stands there twice"},
      {"ArrayElementType", OneKey().Key("k", 9).U32(99).U64(0), invalid, "element type is 99"},
      {"ArrayCount", OneKey().Key("k", 9).U32(0).U64(kHuge), invalid,
       "count is 184467440737095516"},
      {"ArrayBytesOverflow", OneKey().Key("k", 9).U32(10).U64(kHuge / 8 + 2), invalid, "count is"},
      {"ArrayBeyondFile", OneKey().Key("k", 9).U32(4).U64(100).Zeros(64), invalid,
       "more than the file's remaining 64 bytes"},
      {"StringArrayBeyondFile", OneKey().Key("k", 9).U32(8).U64(1000000).Zeros(64), invalid,
       "count is 1000000"},
      {"NestedCount", OneKey().Key("k", 9).U32(9).U64(100000).Zeros(64), invalid, "at most 65536"},
      {"BoolArray", OneKey().Key("k", 9).U32(7).U64(1).Number(std::uint8_t{9}), invalid,
       "a bool is 9"},
      {"DeepArrays", DeepArrays(5), invalid, "nested deeper than 4"},
      {"VeryDeepArrays", DeepArrays(100000), invalid, "nested deeper than 4"},
      {"AlignmentZero", WithAlignment(0), invalid, "power of two"},
      {"AlignmentOdd", WithAlignment(48), invalid, "found 48"},
      {"AlignmentHuge", WithAlignment(1u << 31), invalid, "at most 1048576"},
      {"AlignmentType", OneKey().Key("general.alignment", 8).Text("32"), invalid,
       "\"general.alignment\": found string \"32\""},
      {"UnprintableKey", OneKey().Key("a\x01\xff\n", 99).Zeros(8), invalid, "\"a???\""},
  };
}

std::vector<Malformed> Tensors() {
  const StatusCode invalid = StatusCode::kInvalidArgument;
  const std::uint64_t two32 = std::uint64_t{1} << 32;
  return {
      {"NoName", OneTensor().Tensor("", {8}, 0, 0).Pad().Zeros(32), invalid, "without a name"},
      {"LongName", OneTensor().Tensor(std::string(256, 'n'), {8}, 0, 0).Pad().Zeros(32), invalid,
       "at most 255"},
      {"NoDimensions", OneTensor().Tensor("t", {}, 0, 0).Pad().Zeros(32), invalid,
       "tensor \"t\": 0 dimensions; accepted are 1 to 4"},
      {"FiveDimensions", OneTensor().Tensor("t", {1, 1, 1, 1, 1}, 0, 0).Pad().Zeros(32), invalid,
       "5 dimensions"},
      {"DimensionCount", OneTensor().Text("t").U32(0xffffffff).Zeros(64), invalid,
       "4294967295 dimensions"},
      {"ZeroDimension", OneTensor().Tensor("t", {8, 0}, 0, 0).Pad().Zeros(32), invalid,
       "dimension 1 is 0"},
      {"UnknownType", OneTensor().Tensor("t", {8}, 77, 0).Pad().Zeros(32),
       StatusCode::kUnimplemented, "tensor \"t\": type: found 77"},
      {"RemovedType", OneTensor().Tensor("t", {32}, 4, 0).Pad().Zeros(32),
       StatusCode::kUnimplemented, "type: found 4"},
      {"PartialBlock", OneTensor().Tensor("t", {33, 2}, 8, 0).Pad().Zeros(128), invalid,
       "shape [33, 2] of Q8_0: a row must be whole blocks of 32"},
      {"ElementOverflow", OneTensor().Tensor("t", {two32, two32}, 0, 0).Zeros(64), invalid,
       "fit in 63 bits"},
      {"ElementWrap", OneTensor().Tensor("t", {two32, two32, two32, two32}, 0, 0).Zeros(64),
       invalid, "fit in 63 bits"},
      {"ByteOverflow", OneTensor().Tensor("t", {kHuge / 4}, 0, 0).Zeros(64), invalid, "63 bits"},
      {"OffsetUnaligned", OneTensor().Tensor("t", {8}, 0, 8).Pad().Zeros(64), invalid,
       "offset 8 is not a multiple of the alignment 32"},
      {"OffsetBeyondFile", OneTensor().Tensor("t", {8}, 0, 1 << 20).Pad().Zeros(64), invalid,
       "end beyond the file"},
      {"OffsetOverflow", OneTensor().Tensor("t", {8}, 0, kHuge - 31).Pad().Zeros(64), invalid,
       "end beyond the file"},
      {"EndBeyondFile", OneTensor().Tensor("t", {17}, 0, 0).Pad().Zeros(64), invalid,
       "68 bytes at offset 0"},
      {"DataMissing", OneTensor().Tensor("t", {1}, 0, 0), invalid, "end beyond the file"},
      {"DuplicateTensor",
       RawGguf(2, 0).Tensor("twin", {8}, 0, 0).Tensor("twin", {8}, 0, 32).Pad().Zeros(64), invalid,
       "tensor \"twin\" stands there twice"},
      {"SamePlace", RawGguf(2, 0).Tensor("a", {8}, 0, 0).Tensor("b", {8}, 0, 0).Pad().Zeros(64),
       invalid, "overlap at byte"},
      {"Overlap", RawGguf(2, 0).Tensor("a", {8}, 0, 32).Tensor("b", {16}, 0, 0).Pad().Zeros(64),
       invalid, "tensors \"b\" and \"a\" overlap"},
  };
}

class GgufMalformedTest : public testing::TestWithParam<Malformed> {};

TEST_P(GgufMalformedTest, IsRefusedWithItsReason) {
  const Malformed& bad = GetParam();
  const Result<GgufFile> file = ParseGguf(bad.raw.bytes(), bad.raw.size());
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code(), bad.code) << file.error().message();
  EXPECT_THAT(file.error().message(), testing::HasSubstr(bad.message));
}

std::string NameOf(const testing::TestParamInfo<Malformed>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Preamble, GgufMalformedTest, testing::ValuesIn(Preambles()), NameOf);
INSTANTIATE_TEST_SUITE_P(Metadata, GgufMalformedTest, testing::ValuesIn(Keys()), NameOf);
INSTANTIATE_TEST_SUITE_P(Tensors, GgufMalformedTest, testing::ValuesIn(Tensors()), NameOf);

TEST(GgufMalformedTest, AHeaderThatNeverEndsIsRefused) {
  RawGguf raw(0, 1);
  raw.Key("k", 9).U32(4).U64(kGgufArrayCountMax);
  // The file claims to be large; the prefix given is all there is to allocate from.
  const Result<GgufFile> file = ParseGguf(raw.bytes(), std::uint64_t{1} << 40);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().code(), StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace edgemoe
