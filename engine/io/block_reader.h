// SPDX-License-Identifier: Apache-2.0
//
// The seam to storage: asynchronous reads of aligned ranges into aligned memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/base/status.h"

namespace edgemoe {

// One read. The whole range need not exist: a file may end inside the last block (see
// `bytes_needed`).
struct ReadRequest {
  std::uint32_t file_index = 0;  // into the files that the reader was opened with
  std::uint64_t offset = 0;      // a multiple of kReadAlignment
  // Aligned to kReadAlignment, `bytes` long, alive until the completion is reaped.
  std::byte* destination = nullptr;
  std::uint32_t bytes = 0;  // a multiple of kReadAlignment, at most kReadBytesMax
  // An end of file at or after this many bytes is success; before it, DATA_LOSS.
  std::uint32_t bytes_needed = 0;
  std::uint64_t tag = 0;  // the caller's, given back in the completion
};

struct ReadCompletion {
  std::uint64_t tag = 0;
  Status status;  // OK: the first `bytes_needed` bytes are there
  std::uint32_t bytes_read = 0;
};

constexpr std::size_t kReadAlignment = 4096;
constexpr std::uint32_t kReadBytesMax = 1u << 30;

struct ReaderCounters {
  std::uint64_t reads = 0;    // completed requests
  std::uint64_t bytes = 0;    // bytes that arrived
  std::uint64_t retries = 0;  // resubmissions after a short read, EINTR or EAGAIN
  std::uint64_t errors = 0;   // requests completed with a status that is not OK
};

// A reader of a fixed set of files, opened by the concrete class's factory.
//
// Threads: confined to one thread (the engine's); implementations may use threads inside.
// Order: completions may come in any order; exactly one for each submitted request, also after a
// failure. Errors: short reads, EINTR and EAGAIN are retried inside, at most kReadRetriesMax times
// a request, then DATA_LOSS or UNAVAILABLE; EIO and an end of file before bytes_needed are
// DATA_LOSS naming file and offset. The destructor waits for reads in flight: their memory is the
// caller's again afterwards.
class BlockReader {
 public:
  virtual ~BlockReader() = default;

  virtual std::string_view name() const = 0;  // "io_uring", "pread", ...

  // How many requests may be in flight; bounded for the reader's life.
  virtual std::size_t depth() const = 0;

  // Takes a request, or gives false when `depth()` are in flight. Never waits. Requests may be held
  // back until Flush, Poll or Wait.
  virtual bool TrySubmit(const ReadRequest& request) = 0;

  // Hands held-back requests to the kernel.
  virtual void Flush() = 0;

  // Reaps up to completions.size() finished reads without waiting; returns how many.
  virtual std::size_t Poll(std::span<ReadCompletion> completions) = 0;

  // As Poll, but waits until at least one has finished. Returns 0 only when nothing is in flight.
  virtual std::size_t Wait(std::span<ReadCompletion> completions) = 0;

  virtual std::size_t in_flight() const = 0;

  // The memory that all or most destinations will lie in, in place of what was told before. A
  // reader that gains by it keeps those pages pinned until the next call or its end. Not OK says
  // why that cannot be; reads go on all the same. REQUIRES: nothing is in flight.
  virtual Status SetFixedBuffers(std::span<const std::span<std::byte>> regions) {
    static_cast<void>(regions);
    return OkStatus();
  }

  // The files that the reader was opened with are other ones now, each in the place of the old one
  // and with the same bytes: see StorageFile. REQUIRES: nothing is in flight.
  virtual void OnFilesReopened() {}

  virtual const ReaderCounters& counters() const = 0;
};

constexpr int kReadRetriesMax = 16;

}  // namespace edgemoe
