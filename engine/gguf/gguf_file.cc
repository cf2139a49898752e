// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "engine/gguf/gguf_reader.h"
#include "engine/gguf/name_index.h"

namespace edgemoe {
namespace {

Status Missing(std::string_view key, const char* accepted) {
  return NotFoundError("key " + QuoteForMessage(key) + ": not in the file's metadata; expected " +
                       accepted);
}

Status Mismatch(std::string_view key, const GgufValue& value, const char* accepted) {
  return InvalidArgumentError("key " + QuoteForMessage(key) + ": found " +
                              DescribeGgufValue(value) + "; expected " + accepted);
}

// An integer of any width that is not negative.
std::optional<std::uint64_t> ToUnsigned(const GgufValue& value) {
  return std::visit(
      [](const auto& held) -> std::optional<std::uint64_t> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
          if constexpr (std::is_signed_v<T>)
            if (held < 0) return std::nullopt;
          return static_cast<std::uint64_t>(held);
        } else {
          return std::nullopt;
        }
      },
      value);
}

// Element `index` of a packed array of integers, if it fits.
std::optional<std::int32_t> Int32At(const GgufArray& array, std::size_t index) {
  const auto read = [&](auto zero) -> std::optional<std::int32_t> {
    std::memcpy(&zero, array.packed().data() + index * sizeof(zero), sizeof(zero));
    if (!std::in_range<std::int32_t>(zero)) return std::nullopt;
    return static_cast<std::int32_t>(zero);
  };
  switch (array.element_type()) {
    case GgufValueType::kUint8: return read(std::uint8_t{});
    case GgufValueType::kInt8: return read(std::int8_t{});
    case GgufValueType::kUint16: return read(std::uint16_t{});
    case GgufValueType::kInt16: return read(std::int16_t{});
    case GgufValueType::kUint32: return read(std::uint32_t{});
    case GgufValueType::kInt32: return read(std::int32_t{});
    case GgufValueType::kUint64: return read(std::uint64_t{});
    case GgufValueType::kInt64: return read(std::int64_t{});
    default: return std::nullopt;
  }
}

// Packed numbers as they stand in the file.
template <class T>
std::vector<T> Unpack(const GgufArray& array) {
  std::vector<T> numbers(array.size());
  if (!numbers.empty()) std::memcpy(numbers.data(), array.packed().data(), array.packed().size());
  return numbers;
}

template <class T>
Result<T> OrFallback(const GgufValue* found, Result<T> (GgufFile::*get)(std::string_view) const,
                     const GgufFile& file, std::string_view key, T fallback) {
  if (found == nullptr) return fallback;
  return (file.*get)(key);
}

}  // namespace

std::string GgufTensor::ShapeText() const {
  std::string text = "[";
  for (std::uint32_t i = 0; i < dimension_count; ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  return text + "]";
}

const GgufValue* GgufFile::Find(std::string_view key) const {
  const GgufEntry* entry = FindByName(entries_by_key_, metadata_, key);
  return entry == nullptr ? nullptr : &entry->value;
}

const GgufTensor* GgufFile::FindTensor(std::string_view name) const {
  return FindByName(tensors_by_name_, tensors_, name);
}

Result<std::uint32_t> GgufFile::GetU32(std::string_view key) const {
  constexpr const char* kAccepted = "an integer from 0 to 4294967295";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  const std::optional<std::uint64_t> number = ToUnsigned(*value);
  if (!number || *number > std::numeric_limits<std::uint32_t>::max())
    return Failure(Mismatch(key, *value, kAccepted));
  return static_cast<std::uint32_t>(*number);
}

Result<std::uint64_t> GgufFile::GetU64(std::string_view key) const {
  constexpr const char* kAccepted = "an integer, at least 0";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  const std::optional<std::uint64_t> number = ToUnsigned(*value);
  if (!number) return Failure(Mismatch(key, *value, kAccepted));
  return *number;
}

Result<float> GgufFile::GetF32(std::string_view key) const {
  constexpr const char* kAccepted = "a floating-point number (f32 or f64)";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  if (const auto* number = std::get_if<float>(value)) return *number;
  if (const auto* number = std::get_if<double>(value)) return static_cast<float>(*number);
  return Failure(Mismatch(key, *value, kAccepted));
}

Result<bool> GgufFile::GetBool(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, "a bool"));
  if (const auto* truth = std::get_if<bool>(value)) return *truth;
  return Failure(Mismatch(key, *value, "a bool"));
}

Result<std::string_view> GgufFile::GetString(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, "a string"));
  if (const auto* text = std::get_if<std::string>(value)) return std::string_view(*text);
  return Failure(Mismatch(key, *value, "a string"));
}

Result<const GgufArray*> GgufFile::GetStrings(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, "an array of strings"));
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->element_type() != GgufValueType::kString)
    return Failure(Mismatch(key, *value, "an array of strings"));
  return array;
}

Result<std::vector<std::int32_t>> GgufFile::GetInt32Array(std::string_view key) const {
  constexpr const char* kAccepted = "an array of integers that fit in 32 bits, signed";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr) return Failure(Mismatch(key, *value, kAccepted));
  std::vector<std::int32_t> numbers;
  numbers.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    const std::optional<std::int32_t> number = Int32At(*array, i);
    if (!number) return Failure(Mismatch(key, *value, kAccepted));
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<bool>> GgufFile::GetBoolArray(std::string_view key) const {
  constexpr const char* kAccepted = "an array of bools";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->element_type() != GgufValueType::kBool)
    return Failure(Mismatch(key, *value, kAccepted));
  const std::vector<std::uint8_t> bytes = Unpack<std::uint8_t>(*array);
  std::vector<bool> flags;
  flags.reserve(bytes.size());
  for (const std::uint8_t byte : bytes) flags.push_back(byte != 0);
  return flags;
}

Result<std::vector<std::uint64_t>> GgufFile::GetU64Array(std::string_view key) const {
  constexpr const char* kAccepted = "an array of u64";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->element_type() != GgufValueType::kUint64)
    return Failure(Mismatch(key, *value, kAccepted));
  return Unpack<std::uint64_t>(*array);
}

Result<std::vector<float>> GgufFile::GetF32Array(std::string_view key) const {
  constexpr const char* kAccepted = "an array of f32";
  const GgufValue* value = Find(key);
  if (value == nullptr) return Failure(Missing(key, kAccepted));
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || array->element_type() != GgufValueType::kFloat32)
    return Failure(Mismatch(key, *value, kAccepted));
  return Unpack<float>(*array);
}

Result<std::uint32_t> GgufFile::GetU32Or(std::string_view key, std::uint32_t fallback) const {
  return OrFallback(Find(key), &GgufFile::GetU32, *this, key, fallback);
}

Result<float> GgufFile::GetF32Or(std::string_view key, float fallback) const {
  return OrFallback(Find(key), &GgufFile::GetF32, *this, key, fallback);
}

Result<bool> GgufFile::GetBoolOr(std::string_view key, bool fallback) const {
  return OrFallback(Find(key), &GgufFile::GetBool, *this, key, fallback);
}

Result<std::string_view> GgufFile::GetStringOr(std::string_view key,
                                               std::string_view fallback) const {
  return OrFallback(Find(key), &GgufFile::GetString, *this, key, fallback);
}

}  // namespace edgemoe
