// SPDX-License-Identifier: Apache-2.0
//
// What to do after each answer of the kernel to a read: the retry rules of BlockReader, in one
// place without any I/O, so that every reader obeys the same ones and a test can play the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/status.h"
#include "engine/io/block_reader.h"

namespace edgemoe {

// One request on its way. Thread-compatible. Use: ask the kernel for [offset(), +bytes()) into
// destination(), hand its answer to OnResult, and repeat until that gives kDone or kFailed.
class ReadProgress {
 public:
  enum class Next : std::uint8_t { kAgain, kDone, kFailed };

  ReadProgress() = default;
  explicit ReadProgress(const ReadRequest& request) : request_(request) {}

  // Always aligned, as O_DIRECT demands: a read that stopped inside a block is resumed at that
  // block's start.
  std::uint64_t offset() const { return request_.offset + resume_; }
  std::byte* destination() const { return request_.destination + resume_; }
  std::uint32_t bytes() const { return request_.bytes - resume_; }

  // `result`: bytes read, or a negated errno.
  Next OnResult(std::int64_t result);

  const ReadRequest& request() const { return request_; }
  std::uint32_t bytes_read() const { return arrived_; }
  std::uint32_t retries() const { return retries_; }

  // OK after kDone; after kFailed why, naming `path` and the offset.
  Status StatusFor(std::string_view path) const;

 private:
  enum class Fault : std::uint8_t { kNone, kErrno, kEndOfFile, kRetriesSpent };

  Next RetryOr(Fault fault);

  ReadRequest request_;
  std::uint32_t resume_ = 0;   // aligned; where the next attempt starts
  std::uint32_t arrived_ = 0;  // contiguous bytes from the start that are there
  std::uint32_t retries_ = 0;
  Fault fault_ = Fault::kNone;
  int error_ = 0;  // positive errno of the last failed attempt, or 0
};

// CHECKs the preconditions that block_reader.h states for a request.
void CheckRequest(const ReadRequest& request, std::size_t file_count);

}  // namespace edgemoe
