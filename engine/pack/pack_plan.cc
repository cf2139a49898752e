// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_plan.h"

#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/model/expert_tensors.h"

namespace edgemoe {
namespace {

// Of the new file's own making.
bool IsCopied(const std::string& key) {
  return key != "general.alignment" && !key.starts_with("split.") &&
         !std::string_view(key).starts_with(kPackPrefix);
}

GgufValue ChecksumArray(std::span<const std::uint64_t> checksums) {
  return GgufArray::OfUint64({checksums.begin(), checksums.end()});
}

// The keys whose values are only known at the end; all values of one count take up the same room.
Status SetChecksums(std::span<const std::uint64_t> checksums, std::size_t dense_count,
                    GgufWriter* writer) {
  EDGEMOE_RETURN_IF_ERROR(writer->Set(kPackHeaderChecksumKey, std::uint64_t{0}));
  EDGEMOE_RETURN_IF_ERROR(writer->Set(kPackSourceDigestKey, PackPlan::SourceDigest(checksums)));
  EDGEMOE_RETURN_IF_ERROR(
      writer->Set(kPackDenseChecksumsKey, ChecksumArray(checksums.first(dense_count))));
  return writer->Set(kPackExpertChecksumsKey, ChecksumArray(checksums.subspan(dense_count)));
}

Status SetMetadata(const PackSource& source, GgufWriter* writer) {
  for (const GgufEntry& entry : source.headers().metadata().metadata())
    if (IsCopied(entry.key)) EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, entry.value));
  const std::string& path = source.files().front().path();
  const std::array<GgufEntry, 6> entries = {{
      {std::string(kPackVersionKey), kPackVersion},
      {std::string(kPackToolKey), std::string("edgemoe " EDGEMOE_VERSION)},
      {std::string(kPackMethodKey), std::string("copy")},
      {std::string(kPackSourceNameKey), std::filesystem::path(path).filename().string()},
      {std::string(kPackSourceBytesKey), source.file_bytes()},
      {std::string(kPackSourcePartsKey), static_cast<std::uint32_t>(source.files().size())},
  }};
  for (const GgufEntry& entry : entries)
    EDGEMOE_RETURN_IF_ERROR(writer->Set(entry.key, entry.value));
  return OkStatus();
}

}  // namespace

Result<PackPlan> PackPlan::Make(const PackSource& source) {
  PackPlan plan;
  const ExpertLayout& experts = source.layout().experts;
  plan.dense_count_ = source.layout().dense.size();
  plan.expert_count_ = experts.extents.size();
  EDGEMOE_FAIL_IF_ERROR(SetMetadata(source, &plan.writer_));
  const std::vector<std::uint64_t> zeros(plan.piece_count());
  EDGEMOE_FAIL_IF_ERROR(SetChecksums(zeros, plan.dense_count_, &plan.writer_));
  EDGEMOE_FAIL_IF_ERROR(plan.AddTensors(source));
  plan.Place();
  return plan;
}

Status PackPlan::AddTensors(const PackSource& source) {
  const WeightsLayout& layout = source.layout();
  std::set<std::pair<std::uint32_t, std::uint64_t>> dense_places;
  for (const WeightsLayout::DenseTensor& dense : layout.dense)
    dense_places.emplace(dense.file_index, dense.file_offset);
  for (const GgufTensor& tensor : source.headers().tensors()) {
    if (!dense_places.contains({tensor.file_index, tensor.offset})) continue;
    EDGEMOE_RETURN_IF_ERROR(writer_.AddTensor(
        tensor.name, tensor.type, std::span(tensor.dims).first(tensor.dimension_count)));
    tensors_.push_back({tensor.file_index, tensor.offset, tensor.bytes});
  }
  EDGEMOE_CHECK(tensors_.size() == dense_count_, "each dense tensor has a place of its own");

  const ModelConfig& config = source.config();
  for (std::size_t i = 0; i < expert_count_; ++i) {
    for (const ExpertRole role : {ExpertRole::kGate, ExpertRole::kUp, ExpertRole::kDown}) {
      const ExpertExtent& extent = layout.experts.extents[i][static_cast<std::size_t>(role)];
      const bool down = role == ExpertRole::kDown;
      const std::array<std::uint64_t, 2> dims = {down ? config.expert_width : config.width,
                                                 down ? config.width : config.expert_width};
      EDGEMOE_RETURN_IF_ERROR(
          writer_.AddTensor(SplitExpertName(i / config.expert_count, i % config.expert_count, role),
                            extent.type, dims));
      tensors_.push_back({extent.file_index, extent.offset, extent.bytes});
    }
  }
  return OkStatus();
}

void PackPlan::Place() {
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

std::span<const PackTensor> PackPlan::piece(std::size_t index) const {
  const std::span<const PackTensor> tensors = tensors_;
  if (index < dense_count_) return tensors.subspan(index, 1);
  return tensors.subspan(dense_count_ + (index - dense_count_) * kExpertRoleCount,
                         kExpertRoleCount);
}

std::uint64_t PackPlan::piece_bytes(std::size_t index) const {
  std::uint64_t bytes = 0;
  for (const PackTensor& tensor : piece(index)) bytes += tensor.bytes;
  return bytes;
}

std::string PackPlan::Header(std::span<const std::uint64_t> checksums) const {
  EDGEMOE_CHECK(checksums.size() == piece_count(), "a checksum for each piece");
  GgufWriter writer = writer_;
  EDGEMOE_CHECK(SetChecksums(checksums, dense_count_, &writer).ok(), "zeros could be set");
  const std::string unsigned_bytes = writer.Build().bytes;
  const auto checksum = PackHeaderChecksum(std::as_bytes(std::span<const char>(unsigned_bytes)));
  EDGEMOE_CHECK(checksum && writer.Set(kPackHeaderChecksumKey, *checksum).ok(), "the key is there");
  std::string bytes = writer.Build().bytes;
  EDGEMOE_CHECK(bytes.size() == header_bytes_, "the room was reserved");
  return bytes;
}

std::string PackPlan::SourceDigest(std::span<const std::uint64_t> checksums) {
  return Digest128Of(std::as_bytes(checksums));
}

}  // namespace edgemoe
