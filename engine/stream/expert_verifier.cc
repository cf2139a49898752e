// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/expert_verifier.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/checksum.h"

namespace edgemoe {
namespace {

constexpr std::size_t kWordBits = 64;

}  // namespace

ExpertVerifier::ExpertVerifier(const ExpertLayout& layout, std::span<const StorageFile> files)
    : layout_(layout),
      files_(files),
      verified_((layout.checksums.size() + kWordBits - 1) / kWordBits) {
  EDGEMOE_CHECK(layout.checksums.empty() || layout.checksums.size() == layout.extents.size(),
                "a checksum for each expert, or none");
  for (const StorageFile& file : files) identities_.push_back(file.identity());
}

bool ExpertVerifier::IsDue(ExpertKey key) const {
  if (verified_.empty()) return false;
  const std::size_t index = layout_.IndexOf(key);
  return (verified_[index / kWordBits] >> (index % kWordBits) & 1) == 0;
}

Status ExpertVerifier::Verify(ExpertKey key, std::span<const std::byte> slot,
                              const ExpertReads& plan) {
  const std::size_t index = layout_.IndexOf(key);
  const ExpertExtents& extents = layout_.extents[index];
  if (!CheckFiles(extents)) {
    return Complaint(key, "the file was written to while it is loaded; load it anew");
  }
  if (!IsDue(key)) return OkStatus();
  Checksum64 checksum;
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    EDGEMOE_CHECK(plan.matrix_offsets[role] + extents[role].bytes <= slot.size(),
                  "the slot is of another expert");
    checksum.Update(slot.subspan(static_cast<std::size_t>(plan.matrix_offsets[role]),
                                 static_cast<std::size_t>(extents[role].bytes)));
  }
  if (checksum.value() != layout_.checksums[index]) {
    return Complaint(key, "checksum is " + ChecksumText(checksum.value()) + ", expected " +
                              ChecksumText(layout_.checksums[index]) + ": its bytes are damaged");
  }
  verified_[index / kWordBits] |= std::uint64_t{1} << (index % kWordBits);
  return OkStatus();
}

bool ExpertVerifier::CheckFiles(const ExpertExtents& expert) {
  for (const ExpertExtent& extent : expert) {
    const std::uint32_t file = extent.file_index;
    if (file >= files_.size()) continue;
    const FileIdentity now = files_[file].CurrentIdentity();
    if (now != identities_[file]) {
      identities_[file] = now;
      std::ranges::fill(verified_, 0);
    }
    if (verified_.empty() && now != files_[file].identity()) return false;
  }
  return true;
}

Status ExpertVerifier::Complaint(ExpertKey key, const std::string& what) const {
  const std::uint32_t file = layout_.of(key).front().file_index;
  return DataLossError("expert " + std::to_string(key.expert.value) + " of layer " +
                       std::to_string(key.layer.value) +
                       (file < files_.size() ? " in " + files_[file].path() : "") + ": " + what);
}

}  // namespace edgemoe
