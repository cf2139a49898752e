// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/base/status.h"
#include "engine/io/storage_file.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/expert_reads.h"

namespace edgemoe {

// Looks at what was read of an expert before it is used. With checksums in the layout each expert
// is compared when it is first read, and not again until one of the files has changed; then all are
// due again. Without checksums an expert of a file that has changed cannot be trusted at all.
// Confined to the engine's thread. No allocation after construction, except for the message of a
// failure.
class ExpertVerifier {
 public:
  // `layout` and `files`, by file index, outlive the verifier; `files` may be empty: changes are
  // not noticed then. REQUIRES: as many checksums as extents, or none.
  explicit ExpertVerifier(const ExpertLayout& layout, std::span<const StorageFile> files = {});

  // Whether the next Verify of `key` computes a checksum, unless a file has changed.
  bool IsDue(ExpertKey key) const;

  // `slot` holds the expert's bytes as `plan` placed them. DATA_LOSS names layer, expert and file,
  // and both checksums or that the file has changed; that expert stays due.
  Status Verify(ExpertKey key, std::span<const std::byte> slot, const ExpertReads& plan);

 private:
  // Notices files that were written to; false when `expert` lies in one and has no checksum.
  bool CheckFiles(const ExpertExtents& expert);
  Status Complaint(ExpertKey key, const std::string& what) const;

  const ExpertLayout& layout_;
  const std::span<const StorageFile> files_;
  std::vector<FileIdentity> identities_;  // of files_, as they were last
  std::vector<std::uint64_t> verified_;   // a bit for each expert; empty without checksums
};

}  // namespace edgemoe
