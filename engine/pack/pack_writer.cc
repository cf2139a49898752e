// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/pack_writer.h"

#include <utility>
#include <vector>

#include "engine/base/checksum.h"
#include "engine/pack/pack_journal.h"
#include "engine/pack/pack_plan.h"
#include "engine/pack/pack_source.h"

namespace edgemoe {
namespace {

class Writer {
 public:
  Writer(const PackJob& job, PackSource& source, const PackPlan& plan, PackOutput& output,
         PackJournal& journal)
      : job_(job), source_(source), plan_(plan), output_(output), journal_(journal) {}

  // Bytes of weights that need not be written again.
  std::uint64_t Resume() {
    for (std::size_t i = 0; i < journal_.checksums().size(); ++i)
      done_bytes_ += plan_.piece_bytes(i);
    return done_bytes_;
  }

  Status Run() {
    Tell();
    std::uint64_t unsynced_bytes = 0;
    for (std::size_t i = journal_.checksums().size(); i < plan_.piece_count(); ++i) {
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
    const std::string header = plan_.Header(journal_.checksums());
    EDGEMOE_RETURN_IF_ERROR(output_.Write(0, std::as_bytes(std::span<const char>(header))));
    return output_.Publish();
  }

 private:
  Status WritePiece(std::size_t index) {
    Checksum64 checksum;
    for (const PackTensor& tensor : plan_.piece(index)) {
      for (std::uint64_t at = 0; at < tensor.bytes;) {
        if (job_.cancelled != nullptr && job_.cancelled->load(std::memory_order_relaxed))
          return CancelledError("pack: cancelled; what is written stays in " +
                                output_.partial_path() + ", and the same job goes on from there");
        EDGEMOE_ASSIGN_OR_RETURN(
            const std::span<const std::byte> bytes,
            source_.Read(tensor.source_file, tensor.source_offset + at, tensor.bytes - at));
        checksum.Update(bytes);
        EDGEMOE_RETURN_IF_ERROR(output_.Write(tensor.target_offset + at, bytes));
        at += bytes.size();
        done_bytes_ += bytes.size();
        Tell();
      }
    }
    unsynced_.push_back(checksum.value());
    return OkStatus();
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
  const PackPlan& plan_;
  PackOutput& output_;
  PackJournal& journal_;
  std::uint64_t done_bytes_ = 0;
  std::vector<std::uint64_t> unsynced_;  // checksums of pieces that the journal lacks
};

// Whatever the bytes of the result depend on, and which unfinished file they are in.
std::string JobIdentity(const PackSource& source, const PackPlan& plan, const PackOutput& output) {
  const std::vector<std::uint64_t> zeros(plan.piece_count());
  const std::string text = source.IdentityText() + output.IdentityText() + plan.Header(zeros);
  return Digest128Of(std::as_bytes(std::span<const char>(text)));
}

}  // namespace

Result<PackResult> RunPackJob(const PackJob& job) {
  EDGEMOE_ASSIGN_OR_FAIL(PackSource source, PackSource::Open(job.source_path));
  EDGEMOE_ASSIGN_OR_FAIL(const PackPlan plan, PackPlan::Make(source));
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
  result.layer_count = source.config().layer_count;
  result.experts_per_layer = source.config().expert_count;
  result.source_digest = PackPlan::SourceDigest(journal.checksums());
  return result;
}

}  // namespace edgemoe
