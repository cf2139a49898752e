// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/pack/append_file.h"

namespace edgemoe {

// The checksums of a piece's bytes, in the source and in the pack; the same when they are copied.
struct PackPiece {
  std::uint64_t source_checksum = 0;
  std::uint64_t checksum = 0;
  bool operator==(const PackPiece&) const = default;
};

// What a job has written so far, so that another can go on after it was killed: its first pieces,
// beside the unfinished file. A record is appended when the pieces it tells of are on the disk, so
// a journal never says too much; a record that is cut short or damaged ends it. Thread-compatible;
// one process at a time, which holds the unfinished file's lock.
class PackJournal {
 public:
  // Opens or makes the journal at `path`. With `may_resume` keeps the records of a journal of the
  // same `identity`, of at most `pieces_max` pieces; what else there is is gone, for good, when it
  // returns. Errors name the path.
  static Result<PackJournal> Open(const std::string& path, std::string_view identity,
                                  std::size_t pieces_max, bool may_resume);

  // The first ones, in order.
  const std::vector<PackPiece>& pieces() const { return pieces_; }

  // Adds the next pieces; they are durable when it returns.
  Status Append(std::span<const PackPiece> pieces);

 private:
  explicit PackJournal(AppendFile file) : file_(std::move(file)) {}
  // Takes the valid records of `bytes`; gives how many bytes they have.
  std::size_t TakeRecords(std::string_view bytes, std::size_t pieces_max);

  AppendFile file_;
  std::vector<PackPiece> pieces_;
};

}  // namespace edgemoe
