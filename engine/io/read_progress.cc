// SPDX-License-Identifier: Apache-2.0
#include "engine/io/read_progress.h"

#include <cerrno>
#include <string>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {

ReadProgress::Next ReadProgress::OnResult(std::int64_t result) {
  EDGEMOE_CHECK(result <= std::int64_t{bytes()}, "the kernel gave more than was asked for");
  if (result < 0) {
    error_ = static_cast<int>(-result);
    if (error_ == EINTR || error_ == EAGAIN) return RetryOr(Fault::kErrno);
    fault_ = Fault::kErrno;
    return Next::kFailed;
  }
  error_ = 0;
  const std::uint32_t end = resume_ + static_cast<std::uint32_t>(result);
  const bool advanced = end > arrived_;
  if (advanced) arrived_ = end;
  if (arrived_ >= request_.bytes_needed) return Next::kDone;
  if (result == 0) {
    fault_ = Fault::kEndOfFile;
    return Next::kFailed;
  }
  resume_ = static_cast<std::uint32_t>(AlignDown(arrived_, kReadAlignment));
  // A file that ends inside this block gives the same bytes each time, never 0.
  return RetryOr(advanced ? Fault::kRetriesSpent : Fault::kEndOfFile);
}

ReadProgress::Next ReadProgress::RetryOr(Fault fault) {
  if (retries_ == kReadRetriesMax) {
    fault_ = fault;
    return Next::kFailed;
  }
  ++retries_;
  return Next::kAgain;
}

Status ReadProgress::StatusFor(std::string_view path) const {
  if (fault_ == Fault::kNone) return OkStatus();  // without making a text
  const std::string what = "read: " + std::string(path) + " at offset " + std::to_string(offset());
  switch (fault_) {
    case Fault::kNone: break;
    case Fault::kErrno: {
      Status status = ErrnoStatus(error_, what);
      // Whatever else the kernel says, the bytes are not to be had.
      if (status.code() == StatusCode::kUnavailable) return status;
      return DataLossError(status.message());
    }
    case Fault::kEndOfFile:
      return DataLossError(what + ": the file ends after " + std::to_string(arrived_) + " of " +
                           std::to_string(request_.bytes_needed) + " bytes");
    case Fault::kRetriesSpent:
      return DataLossError(what + ": still short after " + std::to_string(kReadRetriesMax) +
                           " retries, " + std::to_string(arrived_) + " of " +
                           std::to_string(request_.bytes_needed) + " bytes");
  }
  return OkStatus();
}

void CheckRequest(const ReadRequest& request, std::size_t file_count) {
  EDGEMOE_CHECK(request.file_index < file_count, "no such file");
  EDGEMOE_CHECK(request.offset % kReadAlignment == 0, "unaligned offset");
  EDGEMOE_CHECK(reinterpret_cast<std::uintptr_t>(request.destination) % kReadAlignment == 0,
                "unaligned memory");
  EDGEMOE_CHECK(request.destination != nullptr, "no memory");
  EDGEMOE_CHECK(request.bytes > 0 && request.bytes <= kReadBytesMax, "length out of range");
  EDGEMOE_CHECK(request.bytes % kReadAlignment == 0, "unaligned length");
  EDGEMOE_CHECK(request.bytes_needed <= request.bytes, "needs more than it reads");
}

}  // namespace edgemoe
