// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/expert_verifier.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checksum.h"

namespace edgemoe {
namespace {

constexpr std::size_t kWordBits = 64;

}  // namespace

ExpertVerifier::ExpertVerifier(const ExpertLayout& layout, std::vector<std::string> paths)
    : layout_(layout),
      paths_(std::move(paths)),
      verified_((layout.checksums.size() + kWordBits - 1) / kWordBits) {
  EDGEMOE_CHECK(layout.checksums.empty() || layout.checksums.size() == layout.extents.size(),
                "a checksum for each expert, or none");
}

bool ExpertVerifier::IsDue(ExpertKey key) const {
  if (verified_.empty()) return false;
  const std::size_t index = layout_.IndexOf(key);
  return (verified_[index / kWordBits] >> (index % kWordBits) & 1) == 0;
}

Status ExpertVerifier::Verify(ExpertKey key, std::span<const std::byte> slot,
                              const ReadPlan& plan) {
  if (!IsDue(key)) return OkStatus();
  const std::size_t index = layout_.IndexOf(key);
  const ExpertExtents& extents = layout_.extents[index];
  Checksum64 checksum;
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    EDGEMOE_CHECK(plan.matrix_offsets[role] + extents[role].bytes <= slot.size(),
                  "the slot is of another expert");
    checksum.Update(slot.subspan(static_cast<std::size_t>(plan.matrix_offsets[role]),
                                 static_cast<std::size_t>(extents[role].bytes)));
  }
  if (checksum.value() == layout_.checksums[index]) {
    verified_[index / kWordBits] |= std::uint64_t{1} << (index % kWordBits);
    return OkStatus();
  }
  const std::uint32_t file = extents.front().file_index;
  return DataLossError("expert " + std::to_string(key.expert.value) + " of layer " +
                       std::to_string(key.layer.value) +
                       (file < paths_.size() ? " in " + paths_[file] : "") + ": checksum is " +
                       ChecksumText(checksum.value()) + ", expected " +
                       ChecksumText(layout_.checksums[index]) + ": its bytes are damaged");
}

void ExpertVerifier::ForgetAll() { std::ranges::fill(verified_, 0); }

}  // namespace edgemoe
