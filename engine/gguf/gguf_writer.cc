// SPDX-License-Identifier: Apache-2.0
#include "engine/gguf/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <type_traits>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"

namespace edgemoe {
namespace {

constexpr std::string_view kAlignmentKey = "general.alignment";

template <class T>
void AppendNumber(T number, std::string* out) {
  const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(number);
  out->append(bytes.data(), bytes.size());
}

void AppendText(std::string_view text, std::string* out) {
  AppendNumber<std::uint64_t>(text.size(), out);
  out->append(text);
}

void AppendArray(const GgufArray& array, std::string* out) {
  AppendNumber(static_cast<std::uint32_t>(array.element_type()), out);
  AppendNumber<std::uint64_t>(array.size(), out);
  if (array.element_type() == GgufValueType::kString) {
    for (std::size_t i = 0; i < array.size(); ++i) AppendText(array.StringAt(i), out);
  } else if (array.element_type() == GgufValueType::kArray) {
    for (const GgufArray& nested : array.nested()) AppendArray(nested, out);
  } else {
    out->append(array.packed());
  }
}

void AppendEntry(const GgufEntry& entry, std::string* out) {
  AppendText(entry.key, out);
  AppendNumber(static_cast<std::uint32_t>(TypeOf(entry.value)), out);
  std::visit(
      [out](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) {
          AppendText(held, out);
        } else if constexpr (std::is_same_v<T, GgufArray>) {
          AppendArray(held, out);
        } else {
          AppendNumber(held, out);
        }
      },
      entry.value);
}

// Whether the reader's bounds hold for an array `depth` deep.
bool ArrayInBounds(const GgufArray& array, std::uint32_t depth) {
  if (depth > kGgufArrayDepthMax || array.size() > kGgufArrayCountMax) return false;
  if (array.element_type() == GgufValueType::kString) {
    for (std::size_t i = 0; i < array.size(); ++i)
      if (array.StringAt(i).size() > kGgufStringBytesMax) return false;
  }
  if (array.element_type() != GgufValueType::kArray) return true;
  return array.size() <= kGgufNestedCountMax &&
         std::all_of(array.nested().begin(), array.nested().end(),
                     [depth](const GgufArray& nested) { return ArrayInBounds(nested, depth + 1); });
}

bool ValueInBounds(const GgufValue& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return text->size() <= kGgufStringBytesMax;
  if (const auto* array = std::get_if<GgufArray>(&value)) return ArrayInBounds(*array, 1);
  return true;
}

}  // namespace

GgufWriter::GgufWriter(std::uint32_t alignment) : alignment_(alignment) {
  EDGEMOE_CHECK(std::has_single_bit(alignment) && alignment <= kGgufAlignmentMax,
                "an alignment that readers refuse");
  if (alignment != kGgufDefaultAlignment)
    metadata_.push_back({std::string(kAlignmentKey), GgufValue(alignment)});
}

Status GgufWriter::Set(std::string_view key, GgufValue value) {
  if (key.empty() || key.size() > kGgufKeyBytesMax || key == kAlignmentKey)
    return InvalidArgumentError("key " + QuoteForMessage(key) +
                                ": expected 1 to 65535 bytes, and not the alignment's key");
  if (!ValueInBounds(value))
    return InvalidArgumentError("key " + QuoteForMessage(key) + ": " + DescribeGgufValue(value) +
                                " is longer or deeper than readers accept");
  const auto same = std::find_if(metadata_.begin(), metadata_.end(),
                                 [key](const GgufEntry& entry) { return entry.key == key; });
  if (same != metadata_.end()) {
    same->value = std::move(value);
    return OkStatus();
  }
  if (metadata_.size() == kGgufEntryCountMax)
    return InvalidArgumentError("key " + QuoteForMessage(key) + ": the file has " +
                                std::to_string(kGgufEntryCountMax) + " keys, the most accepted");
  metadata_.push_back({std::string(key), std::move(value)});
  return OkStatus();
}

Status GgufWriter::AddTensor(std::string_view name, TensorType type,
                             std::span<const std::uint64_t> dims) {
  const std::string context = "tensor " + QuoteForMessage(name) + ": ";
  if (name.empty() || name.size() > kGgufNameBytesMax)
    return InvalidArgumentError(context + "expected a name of 1 to 255 bytes");
  if (tensors_.size() == kGgufTensorCountMax)
    return InvalidArgumentError(context + "the file has " + std::to_string(kGgufTensorCountMax) +
                                " tensors, the most accepted");
  if (dims.empty() || dims.size() > kGgufDimensionsMax)
    return InvalidArgumentError(context + std::to_string(dims.size()) +
                                " dimensions; accepted are 1 to 4");
  GgufTensor tensor;
  tensor.name = name;
  tensor.type = type;
  tensor.dimension_count = static_cast<std::uint32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), tensor.dims.begin());
  const std::optional<std::uint64_t> bytes = GgufTensorBytes(type, tensor.dims);
  constexpr std::uint64_t kDataBytesMax = std::uint64_t{1} << 62;
  if (!bytes || *bytes > kDataBytesMax || data_bytes_ + *bytes > kDataBytesMax)
    return InvalidArgumentError(context + "shape " + tensor.ShapeText() + " of " +
                                std::string(TraitsOf(type).name) +
                                " is not of whole blocks, or too large");
  if (!tensor_names_.insert(tensor.name).second)
    return InvalidArgumentError(context + "added twice");
  tensor.offset = data_bytes_;
  tensor.bytes = *bytes;
  data_bytes_ = AlignUp(data_bytes_ + *bytes, alignment_);
  tensors_.push_back(std::move(tensor));
  return OkStatus();
}

GgufHeader GgufWriter::Build() const {
  GgufHeader header;
  std::string& out = header.bytes;
  out = "GGUF";
  AppendNumber<std::uint32_t>(3, &out);
  AppendNumber<std::uint64_t>(tensors_.size(), &out);
  AppendNumber<std::uint64_t>(metadata_.size(), &out);
  for (const GgufEntry& entry : metadata_) AppendEntry(entry, &out);
  for (const GgufTensor& tensor : tensors_) {
    AppendText(tensor.name, &out);
    AppendNumber(tensor.dimension_count, &out);
    for (std::uint32_t i = 0; i < tensor.dimension_count; ++i) AppendNumber(tensor.dims[i], &out);
    AppendNumber(static_cast<std::uint32_t>(tensor.type), &out);
    AppendNumber(tensor.offset, &out);
  }
  out.resize(AlignUp(out.size(), alignment_), '\0');
  header.tensors = tensors_;
  for (GgufTensor& tensor : header.tensors) tensor.offset += out.size();
  header.file_bytes = out.size() + data_bytes_;
  return header;
}

}  // namespace edgemoe
