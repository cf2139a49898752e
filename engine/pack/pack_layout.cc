// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_layout.h"

#include <filesystem>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/base/system/aligned_buffer.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // of the block layouts

// Not of the new file's own making. A file type names one type for all, which a recipe has not.
bool IsCopied(const std::string& key, bool requantized) {
  return key != "general.alignment" && !key.starts_with("split.") &&
         !key.starts_with(kPackPrefix) && !(requantized && key == "general.file_type");
}

GgufValue ChecksumArray(std::span<const std::uint64_t> checksums) {
  return GgufArray::OfUint64({checksums.begin(), checksums.end()});
}

// The keys whose values are only known at the end; all values of one count take up the same room.
Status SetChecksums(std::span<const std::uint64_t> source_checksums,
                    std::span<const std::uint64_t> checksums, std::size_t dense_count,
                    GgufWriter* writer) {
  EDGEMOE_RETURN_IF_ERROR(writer->Set(kPackHeaderChecksumKey, std::uint64_t{0}));
  EDGEMOE_RETURN_IF_ERROR(
      writer->Set(kPackSourceDigestKey, PackLayout::SourceDigest(source_checksums)));
  EDGEMOE_RETURN_IF_ERROR(
      writer->Set(kPackDenseChecksumsKey, ChecksumArray(checksums.first(dense_count))));
  return writer->Set(kPackExpertChecksumsKey, ChecksumArray(checksums.subspan(dense_count)));
}

Status SetMetadata(const PackSource& source, const PackRecipe& recipe, GgufWriter* writer) {
  const bool requantized = !recipe.types.empty();
  for (const GgufEntry& entry : source.headers().metadata().metadata())
    if (IsCopied(entry.key, requantized))
      EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, entry.value));
  const std::string& path = source.files().front().path();
  std::vector<GgufEntry> entries = {
      {std::string(kPackVersionKey), kPackVersion},
      {std::string(kPackToolKey), std::string("edgemoe " EDGEMOE_VERSION)},
      {std::string(kPackMethodKey), recipe.method},
      {std::string(kPackSourceNameKey), std::filesystem::path(path).filename().string()},
      {std::string(kPackSourceBytesKey), source.file_bytes()},
      {std::string(kPackSourcePartsKey), static_cast<std::uint32_t>(source.files().size())},
  };
  if (requantized) entries.push_back({"general.quantization_version", kQuantizationVersion});
  entries.insert(entries.end(), recipe.entries.begin(), recipe.entries.end());
  for (const GgufEntry& entry : entries)
    EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, entry.value));
  return OkStatus();
}

std::uint64_t BytesOf(const PackTensor& tensor, const PackRecipe& recipe, std::size_t index) {
  return recipe.types.empty() ? tensor.source_bytes : tensor.BytesIn(recipe.types[index]);
}

}  // namespace

std::uint32_t PackAlignmentFor(std::span<const PackTensor> tensors, const PackRecipe& recipe) {
  std::uint64_t bytes = 0;
  std::uint64_t padding = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t of_tensor = BytesOf(tensors[i], recipe, i);
    bytes += of_tensor;
    padding += AlignUp(of_tensor, kPackAlignment) - of_tensor;
  }
  return padding <= bytes / kPaddingShare ? kPackAlignment : kGgufDefaultAlignment;
}

Result<PackLayout> PackLayout::Make(const PackSource& source, const PackRecipe& recipe) {
  EDGEMOE_ASSIGN_OR_FAIL(std::vector<PackTensor> tensors, ListPackTensors(source));
  EDGEMOE_CHECK(recipe.types.empty() || recipe.types.size() == tensors.size(),
                "a type for each tensor");
  PackLayout plan(PackAlignmentFor(tensors, recipe));
  plan.dense_count_ = source.layout().dense.size();
  plan.expert_count_ = source.layout().experts.extents.size();
  EDGEMOE_FAIL_IF_ERROR(SetMetadata(source, recipe, &plan.writer_));
  const std::vector<std::uint64_t> zeros(plan.piece_count());
  EDGEMOE_FAIL_IF_ERROR(SetChecksums(zeros, zeros, plan.dense_count_, &plan.writer_));
  EDGEMOE_FAIL_IF_ERROR(plan.AddTensors(std::move(tensors), recipe));
  plan.Place();
  return plan;
}

Status PackLayout::AddTensors(std::vector<PackTensor> tensors, const PackRecipe& recipe) {
  tensors_.reserve(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    PackTensor& tensor = tensors[i];
    const TensorType type = recipe.types.empty() ? tensor.source_type : recipe.types[i];
    EDGEMOE_CHECK(type == tensor.source_type || tensor.Takes(type), "a type that it takes");
    EDGEMOE_RETURN_IF_ERROR(
        writer_.AddTensor(tensor.name, type, std::span(tensor.dims).first(tensor.dimension_count)));
    const std::uint64_t bytes = tensor.BytesIn(type);
    tensors_.push_back({.tensor = std::move(tensor), .type = type, .bytes = bytes});
  }
  return OkStatus();
}

void PackLayout::Place() {
  const GgufHeader header = writer_.Build();
  EDGEMOE_CHECK(header.tensors.size() == tensors_.size(), "as many tensors as were added");
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    EDGEMOE_CHECK(header.tensors[i].bytes == tensors_[i].bytes, "the shape is the source's");
    tensors_[i].target_offset = header.tensors[i].offset;
    weight_bytes_ += tensors_[i].bytes;
  }
  header_bytes_ = header.bytes.size();
  file_bytes_ = header.file_bytes;
}

std::span<const PlacedTensor> PackLayout::piece(std::size_t index) const {
  const std::span<const PlacedTensor> tensors = tensors_;
  if (index < dense_count_) return tensors.subspan(index, 1);
  return tensors.subspan(dense_count_ + (index - dense_count_) * kExpertRoleCount,
                         kExpertRoleCount);
}

std::uint64_t PackLayout::piece_bytes(std::size_t index) const {
  std::uint64_t bytes = 0;
  for (const PlacedTensor& tensor : piece(index)) bytes += tensor.bytes;
  return bytes;
}

std::string PackLayout::Header(std::span<const std::uint64_t> source_checksums,
                               std::span<const std::uint64_t> checksums) const {
  EDGEMOE_CHECK(checksums.size() == piece_count() && source_checksums.size() == piece_count(),
                "a checksum for each piece");
  GgufWriter writer = writer_;
  EDGEMOE_CHECK(SetChecksums(source_checksums, checksums, dense_count_, &writer).ok(),
                "zeros could be set");
  const std::string unsigned_bytes = writer.Build().bytes;
  const auto checksum = PackHeaderChecksum(std::as_bytes(std::span<const char>(unsigned_bytes)));
  EDGEMOE_CHECK(checksum && writer.Set(kPackHeaderChecksumKey, *checksum).ok(), "the key is there");
  std::string bytes = writer.Build().bytes;
  EDGEMOE_CHECK(bytes.size() == header_bytes_, "the room was reserved");
  return bytes;
}

std::string PackLayout::SourceDigest(std::span<const std::uint64_t> checksums) {
  return Digest128Of(std::as_bytes(checksums));
}

}  // namespace edgemoe
