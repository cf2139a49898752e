// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/pipeline/verifier.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/checksum.h"
#include "engine/io/read_fully.h"

namespace edgemoe {
namespace {

constexpr std::size_t kWordBits = 64;
constexpr std::uint64_t kLearnBytes = std::uint64_t{256} << 10;  // read at once

bool HasBit(const std::vector<std::uint64_t>& bits, std::size_t index) {
  return (bits[index / kWordBits] >> (index % kWordBits) & 1) != 0;
}

void SetBit(std::vector<std::uint64_t>& bits, std::size_t index) {
  bits[index / kWordBits] |= std::uint64_t{1} << (index % kWordBits);
}

void ClearBit(std::vector<std::uint64_t>& bits, std::size_t index) {
  bits[index / kWordBits] &= ~(std::uint64_t{1} << (index % kWordBits));
}

std::uint64_t ChecksumOf(const ExpertExtents& extents, std::span<const std::byte> slot,
                         const ExpertReads& plan) {
  Checksum64 checksum;
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    EDGEMOE_CHECK(plan.matrix_offsets[role] + extents[role].bytes <= slot.size(),
                  "the slot is of another expert");
    checksum.Update(slot.subspan(static_cast<std::size_t>(plan.matrix_offsets[role]),
                                 static_cast<std::size_t>(extents[role].bytes)));
  }
  return checksum.value();
}

}  // namespace

ExpertVerifier::ExpertVerifier(const ExpertLayout& layout, std::span<const StorageFile> files,
                               VerifyMode mode)
    : layout_(layout),
      files_(files),
      mode_(mode),
      checksums_(layout.checksums),
      known_((layout.extents.size() + kWordBits - 1) / kWordBits),
      verified_(known_.size()) {
  EDGEMOE_CHECK(checksums_.empty() || checksums_.size() == layout.extents.size(),
                "a checksum for each expert, or none");
  if (!checksums_.empty()) {
    std::ranges::fill(known_, ~std::uint64_t{0});
    known_count_ = checksums_.size();
  }
  checksums_.resize(layout.extents.size());
  for (const StorageFile& file : files) identities_.push_back(file.identity());
}

bool ExpertVerifier::IsKnown(std::size_t index) const { return HasBit(known_, index); }
bool ExpertVerifier::IsVerified(std::size_t index) const { return HasBit(verified_, index); }

bool ExpertVerifier::IsDue(ExpertKey key) const {
  return mode_ == VerifyMode::kAlways || !IsVerified(layout_.IndexOf(key)) ||
         (mode_ == VerifyMode::kSample && reads_ % kSampledReads == 0);
}

Status ExpertVerifier::Verify(ExpertKey key, std::span<const std::byte> slot,
                              const ExpertReads& plan) {
  const std::size_t index = layout_.IndexOf(key);
  const ExpertExtents& extents = layout_.extents[index];
  failures_ = 0;
  const bool as_opened = LookAt(extents);
  if (!IsKnown(index) && !as_opened)
    return Complaint(key,
                     "the file has changed while it is loaded, before this expert was read for the "
                     "first time: its bytes cannot be told from others; load the model anew");
  const bool due = IsDue(key);
  ++reads_;
  if (!due) return OkStatus();
  const std::uint64_t checksum = ChecksumOf(extents, slot, plan);
  if (!IsKnown(index)) {
    Learn(index, checksum);
  } else if (checksum != checksums_[index]) {
    ClearBit(verified_, index);
    NoteWrong(key);
    return Complaint(key, "checksum is " + ChecksumText(checksum) + ", expected " +
                              ChecksumText(checksums_[index]) + ": its bytes are damaged");
  }
  SetBit(verified_, index);
  return OkStatus();
}

void ExpertVerifier::NoteWrong(ExpertKey key) {
  if (!changed_) return;
  if (wrong_.value_or(key) != key) {
    in_doubt_ = true;
    suspect_ = key;
  }
  wrong_ = key;
}

void ExpertVerifier::NoteReadFailure(ExpertKey key) {
  LookAt(layout_.of(key));
  several_failed_ = failures_ > 0 && (several_failed_ || failed_ != key);
  failed_ = key;
  if (failures_ < kFailuresInARow) ++failures_;
  if (failures_ < kFailuresInARow || !several_failed_) return;
  in_doubt_ = true;
  suspect_ = key;
}

bool ExpertVerifier::LookAt(const ExpertExtents& expert) {
  bool as_opened = true;
  std::optional<std::uint32_t> last;
  for (const ExpertExtent& extent : expert) {
    if (extent.file_index == last || extent.file_index >= files_.size()) continue;
    last = extent.file_index;
    as_opened = LookAt(extent.file_index) && as_opened;
  }
  return as_opened;
}

bool ExpertVerifier::LookAt(std::uint32_t file_index) {
  const FileIdentity now = files_[file_index].CurrentIdentity();
  if (now != identities_[file_index]) {
    identities_[file_index] = now;
    std::ranges::fill(verified_, 0);
    changed_ = true;
    in_doubt_ = true;
  }
  return now == files_[file_index].identity();
}

bool ExpertVerifier::FilesInDoubt() {
  for (std::uint32_t file = 0; file < files_.size(); ++file) LookAt(file);
  return in_doubt_;
}

void ExpertVerifier::OnReopened() {
  for (std::size_t file = 0; file < files_.size(); ++file) {
    const FileIdentity& opened = files_[file].identity();
    if (opened == identities_[file]) continue;
    changed_ = true;
    identities_[file] = opened;
  }
  std::ranges::fill(verified_, 0);
  in_doubt_ = false;
  suspect_.reset();
  wrong_.reset();
  failures_ = 0;
}

void ExpertVerifier::Learn(std::size_t index, std::uint64_t checksum) {
  checksums_[index] = checksum;
  SetBit(known_, index);
  ++known_count_;
}

bool ExpertVerifier::LearnNext() {
  while (learn_next_ < checksums_.size() && IsKnown(learn_next_)) ++learn_next_;
  if (learn_next_ == checksums_.size() || in_doubt_) return false;
  const ExpertExtents& expert = layout_.extents[learn_next_];
  std::uint64_t checksum = 0;
  const Status status = ReadChecksum(expert, checksum);
  // A write that began before the last byte was read is seen now.
  if (!LookAt(expert)) return false;
  // An expert that cannot be read stays unknown: whoever asks for it hears why.
  if (status.ok()) Learn(learn_next_, checksum);
  ++learn_next_;
  return true;
}

Status ExpertVerifier::ReadChecksum(const ExpertExtents& expert, std::uint64_t& checksum) const {
  std::vector<std::byte> piece(static_cast<std::size_t>(kLearnBytes));
  Checksum64 sum;
  for (const ExpertExtent& extent : expert) {
    if (extent.file_index >= files_.size()) return NotFoundError("no such file");
    for (std::uint64_t done = 0; done < extent.bytes; done += piece.size()) {
      const auto bytes =
          static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), extent.bytes - done));
      EDGEMOE_RETURN_IF_ERROR(ReadFully(files_[extent.file_index], extent.offset + done,
                                        std::span(piece).first(bytes)));
      sum.Update(std::span(piece).first(bytes));
    }
  }
  checksum = sum.value();
  return OkStatus();
}

Status ExpertVerifier::Complaint(ExpertKey key, const std::string& what) const {
  const std::uint32_t file = layout_.of(key).front().file_index;
  return DataLossError("expert " + std::to_string(key.expert.value) + " of layer " +
                       std::to_string(key.layer.value) +
                       (file < files_.size() ? " in " + files_[file].path() : "") + ": " + what);
}

}  // namespace edgemoe
