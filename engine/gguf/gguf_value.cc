// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_value.h"

#include <array>
#include <bit>
#include <charconv>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

static_assert(std::endian::native == std::endian::little, "packed arrays are little-endian");
static_assert(std::variant_size_v<GgufValue> == kGgufValueTypeCount);

struct ValueTypeTraits {
  const char* name;
  std::size_t bytes;
};
constexpr std::array<ValueTypeTraits, kGgufValueTypeCount> kValueTypes = {{{"u8", 1},
                                                                           {"i8", 1},
                                                                           {"u16", 2},
                                                                           {"i16", 2},
                                                                           {"u32", 4},
                                                                           {"i32", 4},
                                                                           {"f32", 4},
                                                                           {"bool", 1},
                                                                           {"string", 0},
                                                                           {"array", 0},
                                                                           {"u64", 8},
                                                                           {"i64", 8},
                                                                           {"f64", 8}}};

template <class T>
GgufArray PackNumbers(GgufValueType type, const std::vector<T>& numbers) {
  GgufArray array(type);
  array.AppendPacked({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)});
  return array;
}

constexpr std::size_t kShownBytesMax = 64;

template <class T>
std::string DescribeOne(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return "string " + QuoteForMessage(value);
  } else if constexpr (std::is_same_v<T, GgufArray>) {
    return "array of " + std::to_string(value.size()) + " " +
           GgufValueTypeName(value.element_type());
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "bool true" : "bool false";
  } else {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(GgufValueTypeName(TypeOf(GgufValue(value)))) + " " +
           std::string(text.data(), end);
  }
}

}  // namespace

const char* GgufValueTypeName(GgufValueType type) {
  return kValueTypes[static_cast<std::size_t>(type)].name;
}

std::size_t GgufScalarBytes(GgufValueType type) {
  return kValueTypes[static_cast<std::size_t>(type)].bytes;
}

GgufArray GgufArray::OfStrings(const std::vector<std::string>& strings) {
  GgufArray array(GgufValueType::kString);
  for (const std::string& text : strings) array.AppendString(text);
  return array;
}

GgufArray GgufArray::OfInt32(const std::vector<std::int32_t>& numbers) {
  return PackNumbers(GgufValueType::kInt32, numbers);
}

GgufArray GgufArray::OfUint64(const std::vector<std::uint64_t>& numbers) {
  return PackNumbers(GgufValueType::kUint64, numbers);
}

GgufArray GgufArray::OfFloat32(const std::vector<float>& numbers) {
  return PackNumbers(GgufValueType::kFloat32, numbers);
}

std::size_t GgufArray::size() const {
  if (element_type_ == GgufValueType::kString) return string_ends_.size();
  if (element_type_ == GgufValueType::kArray) return nested_.size();
  return buffer_.size() / GgufScalarBytes(element_type_);
}

std::string_view GgufArray::StringAt(std::size_t index) const {
  EDGEMOE_CHECK(index < string_ends_.size(), "not a string array, or beyond its end");
  const std::size_t begin = index == 0 ? 0 : string_ends_[index - 1];
  return std::string_view(buffer_).substr(begin, string_ends_[index] - begin);
}

void GgufArray::AppendString(std::string_view text) {
  EDGEMOE_CHECK(element_type_ == GgufValueType::kString, "not a string array");
  buffer_.append(text);
  string_ends_.push_back(buffer_.size());
}

void GgufArray::AppendPacked(std::string_view bytes) {
  const std::size_t element_bytes = GgufScalarBytes(element_type_);
  EDGEMOE_CHECK(element_bytes != 0 && bytes.size() % element_bytes == 0, "not whole numbers");
  buffer_.append(bytes);
}

void GgufArray::AppendArray(GgufArray array) {
  EDGEMOE_CHECK(element_type_ == GgufValueType::kArray, "not an array of arrays");
  nested_.push_back(std::move(array));
}

std::string QuoteForMessage(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kShownBytesMax)) quoted += c >= ' ' && c <= '~' ? c : '?';
  quoted += '"';
  if (text.size() > kShownBytesMax) quoted += "... of " + std::to_string(text.size()) + " bytes";
  return quoted;
}

std::string DescribeGgufValue(const GgufValue& value) {
  return std::visit([](const auto& held) { return DescribeOne(held); }, value);
}

}  // namespace edgemoe
