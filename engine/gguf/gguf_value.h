// SPDX-License-Identifier: Apache-2.0
//
// The values of GGUF metadata. All of them own their bytes: nothing refers to the file they came
// from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace edgemoe {

// By their numbers in the file.
enum class GgufValueType : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};
constexpr std::uint32_t kGgufValueTypeCount = 13;

// "u8", "string" and so on.
const char* GgufValueTypeName(GgufValueType type);
// Bytes of one value in the file; 0 for strings and arrays.
std::size_t GgufScalarBytes(GgufValueType type);

// An array of one element type. Numbers stay packed as in the file, strings share one buffer, so
// that 150,000 tokens are three allocations.
class GgufArray {
 public:
  explicit GgufArray(GgufValueType element_type) : element_type_(element_type) {}
  static GgufArray OfStrings(const std::vector<std::string>& strings);
  static GgufArray OfInt32(const std::vector<std::int32_t>& numbers);
  static GgufArray OfUint64(const std::vector<std::uint64_t>& numbers);
  static GgufArray OfFloat32(const std::vector<float>& numbers);

  GgufValueType element_type() const { return element_type_; }
  std::size_t size() const;

  // REQUIRES: element_type() is kString, index < size(). Valid while the array lives.
  std::string_view StringAt(std::size_t index) const;
  // REQUIRES: element_type() is a scalar; the elements, little-endian.
  std::string_view packed() const { return buffer_; }
  // REQUIRES: element_type() is kArray.
  const std::vector<GgufArray>& nested() const { return nested_; }

  // REQUIRES, for each: the matching element type.
  void AppendString(std::string_view text);
  void AppendPacked(std::string_view bytes);
  void AppendArray(GgufArray array);

  bool operator==(const GgufArray&) const = default;

 private:
  GgufValueType element_type_;
  std::string buffer_;                      // packed numbers, or all strings one after another
  std::vector<std::uint64_t> string_ends_;  // in buffer_
  std::vector<GgufArray> nested_;
};

// The alternatives stand in the order of GgufValueType.
using GgufValue = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
                               std::uint32_t, std::int32_t, float, bool, std::string, GgufArray,
                               std::uint64_t, std::int64_t, double>;

inline GgufValueType TypeOf(const GgufValue& value) {
  return static_cast<GgufValueType>(value.index());
}
// For messages: in quotes, cut after 64 bytes, and what is not printable ASCII as "?".
std::string QuoteForMessage(std::string_view text);
// For messages: "u32 7", "string \"abc\"" (cut after 64 bytes), "array of 12 f32".
std::string DescribeGgufValue(const GgufValue& value);

}  // namespace edgemoe
