// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_reader.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/gguf/header_cursor.h"
#include "engine/gguf/name_index.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
// The least a key with its value, and a tensor's description, take up in the file.
constexpr std::uint64_t kEntryBytesMin = 8 + 4 + 1;
constexpr std::uint64_t kTensorBytesMin = 8 + 4 + 8 + 4 + 8;

Status CheckCount(const HeaderCursor& cursor, std::string_view what, std::uint64_t count,
                  std::uint64_t count_max, std::uint64_t bytes_each) {
  if (count > count_max)
    return InvalidArgumentError(cursor.At() + std::string(what) + " is " + std::to_string(count) +
                                "; at most " + std::to_string(count_max) + " is accepted");
  if (count > cursor.remaining() / bytes_each)
    return InvalidArgumentError(cursor.At() + std::string(what) + " is " + std::to_string(count) +
                                ", more than the file's remaining " +
                                std::to_string(cursor.remaining()) + " bytes can hold");
  return OkStatus();
}

Result<GgufValueType> ReadValueType(HeaderCursor& cursor, std::string_view what) {
  EDGEMOE_ASSIGN_OR_FAIL(const auto number, cursor.Number<std::uint32_t>(what));
  if (number >= kGgufValueTypeCount)
    return Failure(InvalidArgumentError(cursor.At() + std::string(what) + " is " +
                                        std::to_string(number) + "; accepted are 0 to 12"));
  return static_cast<GgufValueType>(number);
}

Status CheckBools(const HeaderCursor& cursor, std::string_view bytes) {
  for (const char byte : bytes)
    if (byte != 0 && byte != 1)
      return InvalidArgumentError(cursor.At() + "a bool is " +
                                  std::to_string(static_cast<unsigned char>(byte)) +
                                  "; accepted are 0 and 1");
  return OkStatus();
}

Result<GgufArray> ReadArray(HeaderCursor& cursor, std::uint32_t depth) {
  if (depth > kGgufArrayDepthMax)
    return Failure(InvalidArgumentError(cursor.At() + "arrays nested deeper than " +
                                        std::to_string(kGgufArrayDepthMax) +
                                        ", the most accepted"));
  EDGEMOE_ASSIGN_OR_FAIL(const GgufValueType type, ReadValueType(cursor, "array's element type"));
  EDGEMOE_ASSIGN_OR_FAIL(const auto count, cursor.Number<std::uint64_t>("array's count"));
  GgufArray array(type);
  if (type == GgufValueType::kArray) {
    EDGEMOE_FAIL_IF_ERROR(CheckCount(cursor, "array's count", count, kGgufNestedCountMax, 12));
    for (std::uint64_t i = 0; i < count; ++i) {
      EDGEMOE_ASSIGN_OR_FAIL(GgufArray nested, ReadArray(cursor, depth + 1));
      array.AppendArray(std::move(nested));
    }
  } else if (type == GgufValueType::kString) {
    EDGEMOE_FAIL_IF_ERROR(CheckCount(cursor, "array's count", count, kGgufArrayCountMax, 8));
    for (std::uint64_t i = 0; i < count; ++i) {
      EDGEMOE_ASSIGN_OR_FAIL(const std::string_view text,
                             cursor.String(kGgufStringBytesMax, "string in an array"));
      array.AppendString(text);
    }
  } else {
    const std::uint64_t bytes_each = GgufScalarBytes(type);
    EDGEMOE_FAIL_IF_ERROR(
        CheckCount(cursor, "array's count", count, kGgufArrayCountMax, bytes_each));
    EDGEMOE_ASSIGN_OR_FAIL(const std::string_view packed,
                           cursor.Take(count * bytes_each, "array's elements"));
    if (type == GgufValueType::kBool) EDGEMOE_FAIL_IF_ERROR(CheckBools(cursor, packed));
    array.AppendPacked(packed);
  }
  return array;
}

template <class T>
Result<GgufValue> ReadScalar(HeaderCursor& cursor) {
  EDGEMOE_ASSIGN_OR_FAIL(const T number, cursor.Number<T>("value"));
  return GgufValue(number);
}

Result<GgufValue> ReadValue(HeaderCursor& cursor, GgufValueType type) {
  switch (type) {
    case GgufValueType::kUint8: return ReadScalar<std::uint8_t>(cursor);
    case GgufValueType::kInt8: return ReadScalar<std::int8_t>(cursor);
    case GgufValueType::kUint16: return ReadScalar<std::uint16_t>(cursor);
    case GgufValueType::kInt16: return ReadScalar<std::int16_t>(cursor);
    case GgufValueType::kUint32: return ReadScalar<std::uint32_t>(cursor);
    case GgufValueType::kInt32: return ReadScalar<std::int32_t>(cursor);
    case GgufValueType::kFloat32: return ReadScalar<float>(cursor);
    case GgufValueType::kUint64: return ReadScalar<std::uint64_t>(cursor);
    case GgufValueType::kInt64: return ReadScalar<std::int64_t>(cursor);
    case GgufValueType::kFloat64: return ReadScalar<double>(cursor);
    case GgufValueType::kBool: {
      EDGEMOE_ASSIGN_OR_FAIL(const std::string_view byte, cursor.Take(1, "value"));
      EDGEMOE_FAIL_IF_ERROR(CheckBools(cursor, byte));
      return GgufValue(byte[0] != 0);
    }
    case GgufValueType::kString: {
      EDGEMOE_ASSIGN_OR_FAIL(const std::string_view text,
                             cursor.String(kGgufStringBytesMax, "string"));
      return GgufValue(std::string(text));
    }
    case GgufValueType::kArray: {
      EDGEMOE_ASSIGN_OR_FAIL(GgufArray array, ReadArray(cursor, 1));
      return GgufValue(std::move(array));
    }
  }
  EDGEMOE_CHECK(false, "a value type that ReadValueType lets through");
}

Result<GgufEntry> ReadEntry(HeaderCursor& cursor) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::string_view key, cursor.String(kGgufKeyBytesMax, "key"));
  if (key.empty()) return Failure(InvalidArgumentError(cursor.At() + "an empty key"));
  const std::string context = "key " + QuoteForMessage(key);
  EDGEMOE_ASSIGN_OR_FAIL(const GgufValueType type, ReadValueType(cursor, context + ": value type"));
  Result<GgufValue> value = ReadValue(cursor, type);
  if (!value) return Failure(value.error().WithContext(context));
  return GgufEntry{std::string(key), *std::move(value)};
}

Status ReadDimensions(HeaderCursor& cursor, const std::string& context, GgufTensor* tensor) {
  EDGEMOE_ASSIGN_OR_RETURN(tensor->dimension_count,
                           cursor.Number<std::uint32_t>(context + ": number of dimensions"));
  if (tensor->dimension_count < 1 || tensor->dimension_count > kGgufDimensionsMax)
    return InvalidArgumentError(cursor.At() + context + ": " +
                                std::to_string(tensor->dimension_count) +
                                " dimensions; accepted are 1 to 4");
  for (std::uint32_t i = 0; i < tensor->dimension_count; ++i) {
    EDGEMOE_ASSIGN_OR_RETURN(tensor->dims[i],
                             cursor.Number<std::uint64_t>(context + ": dimension"));
    if (tensor->dims[i] == 0)
      return InvalidArgumentError(cursor.At() + context + ": dimension " + std::to_string(i) +
                                  " is 0; at least 1 is accepted");
  }
  return OkStatus();
}

Result<GgufTensor> ReadTensor(HeaderCursor& cursor) {
  GgufTensor tensor;
  EDGEMOE_ASSIGN_OR_FAIL(const std::string_view name,
                         cursor.String(kGgufNameBytesMax, "tensor's name"));
  if (name.empty()) return Failure(InvalidArgumentError(cursor.At() + "a tensor without a name"));
  tensor.name = name;
  const std::string context = "tensor " + QuoteForMessage(name);
  EDGEMOE_FAIL_IF_ERROR(ReadDimensions(cursor, context, &tensor));
  EDGEMOE_ASSIGN_OR_FAIL(const auto type, cursor.Number<std::uint32_t>(context + ": type"));
  const TensorTypeTraits* traits = FindTensorType(type);
  if (traits == nullptr)
    return Failure(UnimplementedError(
        cursor.At() + context +
        ": type: " + FoundAndAccepted(ForeignTensorTypeName(type), ComputableTensorTypes())));
  tensor.type = traits->type;
  EDGEMOE_ASSIGN_OR_FAIL(tensor.offset, cursor.Number<std::uint64_t>(context + ": offset"));
  const std::optional<std::uint64_t> bytes = GgufTensorBytes(tensor.type, tensor.dims);
  if (!bytes)
    return Failure(InvalidArgumentError(cursor.At() + context + ": shape " + tensor.ShapeText() +
                                        " of " + std::string(traits->name) +
                                        ": a row must be whole blocks of " +
                                        std::to_string(traits->block_elements) +
                                        " elements, and the size in bytes fit in 63 bits"));
  tensor.bytes = *bytes;
  return tensor;
}

}  // namespace

class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, std::uint64_t file_bytes)
      : cursor_(bytes, file_bytes), file_bytes_(file_bytes) {}

  Result<GgufFile> Parse() {
    EDGEMOE_FAIL_IF_ERROR(ReadPreamble());
    EDGEMOE_FAIL_IF_ERROR(ReadMetadata());
    EDGEMOE_FAIL_IF_ERROR(ReadTensors());
    EDGEMOE_FAIL_IF_ERROR(PlaceTensors());
    EDGEMOE_FAIL_IF_ERROR(CheckOverlap());
    return std::move(file_);
  }

 private:
  Status ReadPreamble() {
    EDGEMOE_ASSIGN_OR_RETURN(const auto magic, cursor_.Number<std::uint32_t>("magic"));
    if (magic != kMagic)
      return InvalidArgumentError("GGUF header: the file does not start with \"GGUF\"");
    EDGEMOE_ASSIGN_OR_RETURN(file_.version_, cursor_.Number<std::uint32_t>("version"));
    if (file_.version_ != 0 && (file_.version_ & 0xffffu) == 0)
      return UnimplementedError("GGUF header: a big-endian file; little-endian is accepted");
    if (file_.version_ < 2 || file_.version_ > 3)
      return UnimplementedError("GGUF header: version " + std::to_string(file_.version_) +
                                "; accepted are 2 and 3");
    EDGEMOE_ASSIGN_OR_RETURN(tensor_count_, cursor_.Number<std::uint64_t>("tensor count"));
    EDGEMOE_ASSIGN_OR_RETURN(entry_count_, cursor_.Number<std::uint64_t>("metadata count"));
    EDGEMOE_RETURN_IF_ERROR(
        CheckCount(cursor_, "tensor count", tensor_count_, kGgufTensorCountMax, kTensorBytesMin));
    return CheckCount(cursor_, "metadata count", entry_count_, kGgufEntryCountMax, kEntryBytesMin);
  }

  Status ReadMetadata() {
    for (std::uint64_t i = 0; i < entry_count_; ++i) {
      EDGEMOE_ASSIGN_OR_RETURN(GgufEntry entry, ReadEntry(cursor_));
      file_.metadata_.push_back(std::move(entry));
    }
    file_.entries_by_key_ = SortByName(file_.metadata_);
    if (const auto* twice = FindDuplicate(file_.entries_by_key_, file_.metadata_))
      return InvalidArgumentError("GGUF header: key " + QuoteForMessage(twice->key) +
                                  " stands there twice");
    EDGEMOE_ASSIGN_OR_RETURN(file_.alignment_,
                             file_.GetU32Or("general.alignment", kGgufDefaultAlignment));
    if (!std::has_single_bit(file_.alignment_) || file_.alignment_ > kGgufAlignmentMax)
      return InvalidArgumentError(
          "key \"general.alignment\": found " + std::to_string(file_.alignment_) +
          "; expected a power of two, at most " + std::to_string(kGgufAlignmentMax));
    return OkStatus();
  }

  Status ReadTensors() {
    for (std::uint64_t i = 0; i < tensor_count_; ++i) {
      EDGEMOE_ASSIGN_OR_RETURN(GgufTensor tensor, ReadTensor(cursor_));
      file_.tensors_.push_back(std::move(tensor));
    }
    file_.tensors_by_name_ = SortByName(file_.tensors_);
    if (const auto* twice = FindDuplicate(file_.tensors_by_name_, file_.tensors_))
      return InvalidArgumentError("GGUF header: tensor " + QuoteForMessage(twice->name) +
                                  " stands there twice");
    file_.data_offset_ = AlignUp(cursor_.position(), file_.alignment_);
    return OkStatus();
  }

  // Makes offsets absolute.
  Status PlaceTensors() {
    for (GgufTensor& tensor : file_.tensors_) {
      const std::uint64_t relative = tensor.offset;
      if (relative % file_.alignment_ != 0)
        return InvalidArgumentError(
            "tensor " + QuoteForMessage(tensor.name) + ": offset " + std::to_string(relative) +
            " is not a multiple of the alignment " + std::to_string(file_.alignment_));
      if (file_.data_offset_ > file_bytes_ || relative > file_bytes_ - file_.data_offset_ ||
          tensor.bytes > file_bytes_ - file_.data_offset_ - relative)
        return InvalidArgumentError(
            "tensor " + QuoteForMessage(tensor.name) + ": " + std::to_string(tensor.bytes) +
            " bytes at offset " + std::to_string(relative) + " of the data, which starts at byte " +
            std::to_string(file_.data_offset_) + ", end beyond the file of " +
            std::to_string(file_bytes_) + " bytes");
      tensor.offset = file_.data_offset_ + relative;
    }
    return OkStatus();
  }

  Status CheckOverlap() const {
    std::vector<const GgufTensor*> by_offset;
    by_offset.reserve(file_.tensors_.size());
    for (const GgufTensor& tensor : file_.tensors_) by_offset.push_back(&tensor);
    std::sort(by_offset.begin(), by_offset.end(),
              [](const GgufTensor* a, const GgufTensor* b) { return a->offset < b->offset; });
    for (std::size_t i = 1; i < by_offset.size(); ++i) {
      const GgufTensor& before = *by_offset[i - 1];
      const GgufTensor& after = *by_offset[i];
      if (before.offset + before.bytes > after.offset)
        return InvalidArgumentError("tensors " + QuoteForMessage(before.name) + " and " +
                                    QuoteForMessage(after.name) + " overlap at byte " +
                                    std::to_string(after.offset));
    }
    return OkStatus();
  }

  HeaderCursor cursor_;
  std::uint64_t file_bytes_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t entry_count_ = 0;
  GgufFile file_;
};

std::optional<std::uint64_t> GgufTensorBytes(
    TensorType type, const std::array<std::uint64_t, kGgufDimensionsMax>& dims) {
  constexpr std::uint64_t kLimit = std::numeric_limits<std::int64_t>::max();
  std::uint64_t elements = 1;
  for (const std::uint64_t dim : dims) {
    if (dim == 0 || elements > kLimit / dim) return std::nullopt;
    elements *= dim;
  }
  const std::optional<std::uint64_t> row_bytes = RowBytes(type, dims[0]);
  const std::uint64_t rows = elements / dims[0];
  if (!row_bytes || *row_bytes > kLimit / rows) return std::nullopt;
  return *row_bytes * rows;
}

Result<GgufFile> ParseGguf(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  EDGEMOE_CHECK(bytes.size() <= file_bytes, "more bytes than the file has");
  return GgufParser(bytes, file_bytes).Parse();
}

}  // namespace edgemoe
