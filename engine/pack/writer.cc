// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/writer.h"

#include <utility>
#include <vector>

#include "engine/base/checksum.h"
#include "engine/pack/journal.h"
#include "engine/pack/pack_layout.h"
#include "engine/pack/pack_source.h"
#include "engine/pack/row_converter.h"
#include "engine/parallel/compute_pool.h"

namespace edgemoe {
namespace {

std::vector<std::uint64_t> SourceChecksums(const PackJournal& journal) {
  std::vector<std::uint64_t> checksums;
  for (const PackPiece& piece : journal.pieces()) checksums.push_back(piece.source_checksum);
  return checksums;
}

std::vector<std::uint64_t> PackChecksums(const PackJournal& journal) {
  std::vector<std::uint64_t> checksums;
  for (const PackPiece& piece : journal.pieces()) checksums.push_back(piece.checksum);
  return checksums;
}

class Writer {
 public:
  Writer(const PackJob& job, PackSource& source, const PackLayout& plan, PackOutput& output,
         PackJournal& journal)
      : job_(job),
        source_(source),
        plan_(plan),
        output_(output),
        journal_(journal),
        pool_(job.threads),
        converter_(&pool_) {}

  // Bytes of weights that need not be written again.
  std::uint64_t Resume() {
    for (std::size_t i = 0; i < journal_.pieces().size(); ++i) done_bytes_ += plan_.piece_bytes(i);
    return done_bytes_;
  }

  Status Run() {
    Tell();
    std::uint64_t unsynced_bytes = 0;
    for (std::size_t i = journal_.pieces().size(); i < plan_.piece_count(); ++i) {
      Status status = WritePiece(i);
      if (status.code() == StatusCode::kCancelled) {
        EDGEMOE_RETURN_IF_ERROR(Sync());
        return status;
      }
      EDGEMOE_RETURN_IF_ERROR(status);
      unsynced_bytes += plan_.piece_bytes(i);
      if (unsynced_bytes < job_.sync_bytes) continue;
      EDGEMOE_RETURN_IF_ERROR(Sync());
      unsynced_bytes = 0;
    }
    EDGEMOE_RETURN_IF_ERROR(Sync());
    const std::string header = plan_.Header(SourceChecksums(journal_), PackChecksums(journal_));
    EDGEMOE_RETURN_IF_ERROR(output_.Write(0, std::as_bytes(std::span<const char>(header))));
    if (job_.before_publish) {
      EDGEMOE_RETURN_IF_ERROR(output_.Sync());
      EDGEMOE_RETURN_IF_ERROR(job_.before_publish(output_.partial_path()));
    }
    return output_.Publish();
  }

 private:
  Status WritePiece(std::size_t index) {
    Checksum64 source_checksum;
    Checksum64 checksum;
    for (const PlacedTensor& planned : plan_.piece(index)) {
      const bool copied = planned.type == planned.tensor.source_type;
      EDGEMOE_RETURN_IF_ERROR(copied ? CopyTensor(planned, source_checksum, checksum)
                                     : ConvertTensor(planned, source_checksum, checksum));
    }
    unsynced_.push_back({.source_checksum = source_checksum.value(), .checksum = checksum.value()});
    return OkStatus();
  }

  Status CopyTensor(const PlacedTensor& planned, Checksum64& source_checksum,
                    Checksum64& checksum) {
    const PackTensor& tensor = planned.tensor;
    for (std::uint64_t at = 0; at < planned.bytes;) {
      EDGEMOE_RETURN_IF_ERROR(CheckNotCancelled());
      EDGEMOE_ASSIGN_OR_RETURN(
          const std::span<const std::byte> bytes,
          source_.Read(tensor.source_file, tensor.source_offset + at, planned.bytes - at));
      source_checksum.Update(bytes);
      checksum.Update(bytes);
      EDGEMOE_RETURN_IF_ERROR(output_.Write(planned.target_offset + at, bytes));
      at += bytes.size();
      done_bytes_ += bytes.size();
      Tell();
    }
    return OkStatus();
  }

  Status ConvertTensor(const PlacedTensor& planned, Checksum64& source_checksum,
                       Checksum64& checksum) {
    const PackTensor& tensor = planned.tensor;
    importance_.clear();
    if (job_.recipe.importance) job_.recipe.importance(tensor, &importance_);
    const std::uint64_t source_row_bytes = tensor.source_bytes / tensor.rows();
    const std::uint64_t row_bytes = planned.bytes / tensor.rows();
    const auto convert = [&](std::span<const std::byte> rows, std::uint64_t first) -> Status {
      EDGEMOE_RETURN_IF_ERROR(CheckNotCancelled());
      source_checksum.Update(rows);
      const auto row_count = static_cast<std::size_t>(rows.size() / source_row_bytes);
      converted_.resize(static_cast<std::size_t>(row_bytes) * row_count);
      converter_.Convert(tensor.source_type, planned.type,
                         static_cast<std::size_t>(tensor.columns()), row_count, rows.data(),
                         importance_, converted_.data());
      checksum.Update(converted_);
      EDGEMOE_RETURN_IF_ERROR(output_.Write(planned.target_offset + first * row_bytes, converted_));
      done_bytes_ += converted_.size();
      Tell();
      return OkStatus();
    };
    return source_.ReadRows(tensor.source_file, tensor.source_offset, source_row_bytes,
                            tensor.rows(), convert);
  }

  Status CheckNotCancelled() const {
    if (job_.cancelled == nullptr || !job_.cancelled->load(std::memory_order_relaxed))
      return OkStatus();
    return CancelledError("pack: cancelled; what is written stays in " + output_.partial_path() +
                          ", and the same job goes on from there");
  }

  // What was written is the source's as it was at the start, and on the disk, before the journal
  // says so.
  Status Sync() {
    EDGEMOE_RETURN_IF_ERROR(output_.Sync());
    EDGEMOE_RETURN_IF_ERROR(source_.CheckUnchanged());
    EDGEMOE_RETURN_IF_ERROR(journal_.Append(unsynced_));
    unsynced_.clear();
    return OkStatus();
  }

  void Tell() const {
    if (job_.progress) job_.progress(done_bytes_, plan_.weight_bytes());
  }

  const PackJob& job_;
  PackSource& source_;
  const PackLayout& plan_;
  PackOutput& output_;
  PackJournal& journal_;
  std::uint64_t done_bytes_ = 0;
  std::vector<PackPiece> unsynced_;  // that the journal lacks
  ComputePool pool_;
  RowConverter converter_;
  std::vector<float> importance_;     // of the tensor that is converted
  std::vector<std::byte> converted_;  // rows of it
};

// Whatever the bytes of the result depend on, and which unfinished file they are in.
std::string JobIdentity(const PackSource& source, const PackLayout& plan,
                        const PackOutput& output) {
  const std::vector<std::uint64_t> zeros(plan.piece_count());
  const std::string text =
      source.IdentityText() + output.IdentityText() + plan.Header(zeros, zeros);
  return Digest128Of(std::as_bytes(std::span<const char>(text)));
}

}  // namespace

Result<PackResult> RunPackJob(const PackJob& job) {
  EDGEMOE_ASSIGN_OR_FAIL(PackSource source, PackSource::Open(job.source_path));
  EDGEMOE_ASSIGN_OR_FAIL(const PackLayout plan, PackLayout::Make(source, job.recipe));
  EDGEMOE_ASSIGN_OR_FAIL(PackOutput output, PackOutput::Open(job.output_path, job.overwrite,
                                                             source.files(), job.disk));
  const bool may_resume = output.bytes_found() == plan.file_bytes();
  // Before there is a file of the right size that an old journal could be taken to tell of.
  EDGEMOE_ASSIGN_OR_FAIL(PackJournal journal,
                         PackJournal::Open(output.journal_path(), JobIdentity(source, plan, output),
                                           plan.piece_count(), may_resume));
  EDGEMOE_FAIL_IF_ERROR(output.Reserve(plan.file_bytes()));
  Writer writer(job, source, plan, output, journal);
  PackResult result;
  result.resumed_bytes = writer.Resume();
  if (Status status = writer.Run(); !status.ok()) {
    if (status.code() == StatusCode::kFailedPrecondition) output.Discard();
    return Failure(std::move(status));
  }
  result.source_bytes = source.file_bytes();
  result.file_bytes = plan.file_bytes();
  result.weight_bytes = plan.weight_bytes();
  result.layer_count = source.config().layer_count();
  result.experts_per_layer = source.config().expert_count;
  result.source_digest = PackLayout::SourceDigest(SourceChecksums(journal));
  return result;
}

}  // namespace edgemoe
