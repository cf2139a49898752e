// SPDX-License-Identifier: Apache-2.0
//
// The file of an ActivationStats: GGUF, so that any tool for such files shows it.
#include <cstring>
#include <utility>

#include "engine/base/checksum.h"
#include "engine/gguf/gguf_writer.h"
#include "engine/io/mapped_file.h"
#include "engine/study/activation_stats.h"

namespace edgemoe {
namespace {

constexpr std::string_view kTypeKey = "general.type";
constexpr std::string_view kType = "edgemoe.calibration";
constexpr std::string_view kVersionKey = "edgemoe.calibration.version";
constexpr std::uint32_t kVersion = 1;
constexpr std::string_view kIdentityKey = "edgemoe.calibration.identity";
// u64: XXH3-64 of the row counts, the use counts and the tensors, without padding.
constexpr std::string_view kChecksumKey = "edgemoe.calibration.checksum";
// Array of u64 [layers * 3 + 1]: of q, k and v, of attention's output, of the router; of the
// output.
constexpr std::string_view kRowCountsKey = "edgemoe.calibration.row_counts";
// Array of u64 [layers that have experts, experts].
constexpr std::string_view kUseCountsKey = "edgemoe.calibration.use_counts";

// OK when `file` is such a file, of this version and identity.
Status CheckKind(const GgufFile& file, std::string_view identity) {
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view type, file.GetString(kTypeKey));
  if (type != kType)
    return InvalidArgumentError("key " + QuoteForMessage(kTypeKey) + ": found " +
                                QuoteForMessage(type) + "; expected " + QuoteForMessage(kType));
  EDGEMOE_ASSIGN_OR_RETURN(const std::uint32_t version, file.GetU32(kVersionKey));
  if (version != kVersion)
    return InvalidArgumentError("key " + QuoteForMessage(kVersionKey) + ": found " +
                                std::to_string(version) + "; expected " + std::to_string(kVersion));
  EDGEMOE_ASSIGN_OR_RETURN(const std::string_view found, file.GetString(kIdentityKey));
  if (found != identity)
    return FailedPreconditionError("is of another model, text or settings: found " +
                                   QuoteForMessage(found) + "; expected " +
                                   QuoteForMessage(identity));
  return OkStatus();
}

Status ReadCounts(const GgufFile& file, std::string_view key, std::vector<std::uint64_t>* counts) {
  EDGEMOE_ASSIGN_OR_RETURN(std::vector<std::uint64_t> found, file.GetU64Array(key));
  if (found.size() != counts->size())
    return InvalidArgumentError("key " + QuoteForMessage(key) + ": found " +
                                std::to_string(found.size()) + " counts; expected " +
                                std::to_string(counts->size()));
  *counts = std::move(found);
  return OkStatus();
}

Status CheckTensor(const GgufTensor* found, const ActivationLayout::Tensor& expected) {
  GgufTensor wanted;
  wanted.dimension_count = static_cast<std::uint32_t>(expected.dims.size());
  std::copy(expected.dims.begin(), expected.dims.end(), wanted.dims.begin());
  if (found == nullptr)
    return InvalidArgumentError("no tensor " + expected.name + "; expected one of F32 " +
                                wanted.ShapeText());
  if (found->type != TensorType::kF32 || found->dims != wanted.dims)
    return InvalidArgumentError("tensor " + expected.name + ": found " +
                                std::string(TraitsOf(found->type).name) + " " + found->ShapeText() +
                                "; expected F32 " + wanted.ShapeText());
  return OkStatus();
}

// Writes pieces at rising offsets, with zeros between them.
class PaddedWriter {
 public:
  explicit PaddedWriter(PackOutput& output) : output_(output) {}
  Status Write(std::uint64_t offset, std::span<const std::byte> bytes) {
    const std::vector<std::byte> padding(static_cast<std::size_t>(offset - end_));
    EDGEMOE_RETURN_IF_ERROR(output_.Write(end_, padding));
    end_ = offset + bytes.size();
    return output_.Write(offset, bytes);
  }

 private:
  PackOutput& output_;
  std::uint64_t end_ = 0;
};

}  // namespace

std::uint64_t ActivationStats::Checksum() const {
  Checksum64 checksum;
  checksum.Update(std::as_bytes(std::span(row_counts_)));
  checksum.Update(std::as_bytes(std::span(use_counts_)));
  checksum.Update(std::as_bytes(Sums({0, layout_.sum_count()})));
  return checksum.value();
}

Status ActivationStats::Save(const std::string& path, std::string_view identity,
                             PackDisk disk) const {
  EDGEMOE_RETURN_IF_ERROR(CheckFinite());
  GgufWriter writer;
  EDGEMOE_RETURN_IF_ERROR(writer.Set(kTypeKey, std::string(kType)));
  EDGEMOE_RETURN_IF_ERROR(writer.Set(kVersionKey, kVersion));
  EDGEMOE_RETURN_IF_ERROR(writer.Set(kIdentityKey, std::string(identity)));
  EDGEMOE_RETURN_IF_ERROR(writer.Set(kChecksumKey, Checksum()));
  EDGEMOE_RETURN_IF_ERROR(writer.Set(kRowCountsKey, GgufArray::OfUint64(row_counts_)));
  EDGEMOE_RETURN_IF_ERROR(writer.Set(kUseCountsKey, GgufArray::OfUint64(use_counts_)));
  const std::vector<ActivationLayout::Tensor> tensors = layout_.Tensors();
  for (const ActivationLayout::Tensor& tensor : tensors) {
    EDGEMOE_RETURN_IF_ERROR(writer.AddTensor(tensor.name, TensorType::kF32, tensor.dims));
  }
  const GgufHeader header = writer.Build();

  EDGEMOE_ASSIGN_OR_RETURN(PackOutput output, PackOutput::Open(path, true, {}, std::move(disk)));
  EDGEMOE_RETURN_IF_ERROR(output.Reserve(header.file_bytes));
  PaddedWriter padded(output);
  EDGEMOE_RETURN_IF_ERROR(padded.Write(0, std::as_bytes(std::span<const char>(header.bytes))));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EDGEMOE_RETURN_IF_ERROR(
        padded.Write(header.tensors[i].offset, std::as_bytes(Sums(tensors[i].range))));
  }
  EDGEMOE_RETURN_IF_ERROR(padded.Write(header.file_bytes, {}));
  EDGEMOE_RETURN_IF_ERROR(output.Sync());
  return output.Publish();
}

Result<ActivationStats> ActivationStats::Load(const std::string& path, std::string_view identity,
                                              const ActivationShape& shape) {
  EDGEMOE_ASSIGN_OR_FAIL(const MappedFile mapped, MappedFile::Open(path));
  const std::span<const std::byte> bytes = mapped.bytes();
  const std::string context = "calibration: " + path;
  const Result<GgufFile> file = ParseGguf(bytes, bytes.size());
  if (!file) return Failure(file.error().WithContext(context));
  EDGEMOE_FAIL_IF_ERROR(CheckKind(*file, identity).WithContext(context));

  EDGEMOE_ASSIGN_OR_FAIL(ActivationStats stats, Create(shape));
  EDGEMOE_FAIL_IF_ERROR(ReadCounts(*file, kRowCountsKey, &stats.row_counts_).WithContext(context));
  EDGEMOE_FAIL_IF_ERROR(ReadCounts(*file, kUseCountsKey, &stats.use_counts_).WithContext(context));
  for (const ActivationLayout::Tensor& tensor : stats.layout_.Tensors()) {
    const GgufTensor* const found = file->FindTensor(tensor.name);
    EDGEMOE_FAIL_IF_ERROR(CheckTensor(found, tensor).WithContext(context));
    const std::span<float> sums = stats.Sums(tensor.range);
    std::memcpy(sums.data(), bytes.data() + found->offset, sums.size_bytes());
  }
  const Result<std::uint64_t> checksum = file->GetU64(kChecksumKey);
  if (!checksum) return Failure(checksum.error().WithContext(context));
  if (*checksum != stats.Checksum())
    return Failure(DataLossError(context + ": its sums have checksum " +
                                 ChecksumText(stats.Checksum()) + ", not " +
                                 ChecksumText(*checksum) + ": the file is damaged"));
  EDGEMOE_FAIL_IF_ERROR(stats.CheckFinite().WithContext(context));
  return stats;
}

}  // namespace edgemoe
