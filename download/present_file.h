// SPDX-License-Identifier: Apache-2.0
//
// What is on this machine already of what is to be downloaded: under the file's own name, or in the
// keeping of another program. Length and SHA-256 decide, not names.
//
// A file that has been checked is marked with the attribute "user.edgemoe.sha256": sum, length and
// time of modification. While these are right it is not read again. Where there are no such
// attributes, or the file is not ours to mark, it is read each time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "download/protocol/pull_lines.h"
#include "download/transfer/file_transfer.h"
#include "engine/base/result.h"

namespace edgemoe {

// While a file is read.
struct CheckWatch {
  std::function<void(std::uint64_t hashed_bytes)> progress{};  // at most ten times a second
  const std::atomic<bool>* cancelled = nullptr;
};

// Whether `path` is `file`, itself or by a link: its length where that is known, its SHA-256 where
// that is. A link that leads nowhere is removed. ALREADY_EXISTS: something else has the name;
// CANCELLED; others are those of ErrnoStatus.
Result<bool> IsPresent(const std::string& path, const TransferFile& file, const CheckWatch& watch);

// The path of that held file which is `file`; empty where none is, or `file` has no SHA-256.
// Compared are those of its length that say they have its sum, or say none and whose names end in
// its name. What cannot be read is none. CANCELLED.
Result<std::string> FindHeld(std::span<const HeldFile> held, const TransferFile& file,
                             const CheckWatch& watch);

// Says of a file that was just checked that it has this sum.
void MarkChecked(const std::string& path, const std::string& sha256);

}  // namespace edgemoe
