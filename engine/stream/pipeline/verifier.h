// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/expert_key.h"
#include "engine/base/status.h"
#include "engine/io/storage_file.h"
#include "engine/stream/expert_layout.h"
#include "engine/stream/pipeline/reads.h"

namespace edgemoe {

// Which reads are compared with the expert's checksum.
enum class VerifyMode : std::uint8_t {
  kSample,  // those of kFirst, and one of kSampledReads
  kAlways,
  kFirst,  // an expert's first, and its first after the files have changed
};
constexpr std::uint64_t kSampledReads = 16;

// Looks at what was read of an expert before it is used, and keeps account of whether the files can
// still be relied on.
//
// An expert's checksum is that of the layout or, in files without checksums, is learnt: what is
// read first, while the files are as they were opened, is what later reads have to be. Where no
// checksum is known, a file that has changed cannot be told from another: DATA_LOSS.
//
// The files are in doubt when one of them has changed; when more than one expert has not been what
// it should be since; or when kFailuresInARow reads of more than one expert have failed and none
// between them has succeeded. A single expert that is damaged or cannot be read leaves the others
// in use. Doubt lasts until OnReopened; what is read meanwhile is looked at as always.
//
// Confined to the engine's thread. No allocation after construction, except by LearnNext and for
// the message of a failure.
class ExpertVerifier {
 public:
  // `layout` and `files`, by file index, outlive the verifier; `files` may be empty: changes are
  // not noticed then. REQUIRES: as many checksums as extents, or none.
  explicit ExpertVerifier(const ExpertLayout& layout, std::span<const StorageFile> files = {},
                          VerifyMode mode = VerifyMode::kSample);

  static constexpr std::uint32_t kFailuresInARow = 8;

  // Whether the next Verify of `key` computes a checksum, unless a file has changed.
  bool IsDue(ExpertKey key) const;

  // `slot` holds the expert's bytes as `plan` placed them. DATA_LOSS names layer, expert and file,
  // and both checksums or that the file has changed; that expert stays due.
  Status Verify(ExpertKey key, std::span<const std::byte> slot, const ExpertReads& plan);
  // The expert could not be read.
  void NoteReadFailure(ExpertKey key);

  // ---- Between steps ----

  // Looks at every file; whether they are in doubt. About 1 us a file.
  bool FilesInDoubt();
  // The last of the experts that caused the doubt, if experts did.
  std::optional<ExpertKey> suspect() const { return suspect_; }
  // Experts without a known checksum.
  std::size_t unknown_count() const { return checksums_.size() - known_count_; }

  // The files were opened again: all experts are due. REQUIRES: nothing is unknown, or all files
  // have the identity that they had.
  void OnReopened();

  // Reads one of the experts whose checksums are not known, past the cache, and learns its own.
  // False when there is nothing to be learnt: all are known, or the files are in doubt.
  bool LearnNext();

 private:
  bool IsKnown(std::size_t index) const;
  bool IsVerified(std::size_t index) const;
  // Notices files that have changed; whether those of `expert` are as they were opened.
  bool LookAt(const ExpertExtents& expert);
  bool LookAt(std::uint32_t file_index);
  void NoteWrong(ExpertKey key);
  void Learn(std::size_t index, std::uint64_t checksum);
  Status ReadChecksum(const ExpertExtents& expert, std::uint64_t& checksum) const;
  Status Complaint(ExpertKey key, const std::string& what) const;

  const ExpertLayout& layout_;
  const std::span<const StorageFile> files_;
  const VerifyMode mode_;
  std::vector<FileIdentity> identities_;  // of files_, as they were last
  std::vector<std::uint64_t> checksums_;  // by index in the layout, where known
  std::vector<std::uint64_t> known_;      // a bit for each expert
  std::vector<std::uint64_t> verified_;   // a bit for each expert
  std::size_t known_count_ = 0;
  std::size_t learn_next_ = 0;  // those before need not be learnt
  std::uint64_t reads_ = 0;

  bool changed_ = false;  // some file has, ever
  bool in_doubt_ = false;
  std::optional<ExpertKey> suspect_;
  std::optional<ExpertKey> wrong_;  // was not what it should be, since a file changed
  std::uint32_t failures_ = 0;      // reads that failed, since one succeeded
  std::optional<ExpertKey> failed_;
  bool several_failed_ = false;
};

}  // namespace edgemoe
