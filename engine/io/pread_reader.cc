// SPDX-License-Identifier: Apache-2.0
#include "engine/io/pread_reader.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"

namespace edgemoe {
PreadReader::PreadReader(std::span<const StorageFile> files, const Options& options)
    : files_(files),
      pread_(options.pread ? options.pread : PreadCall(::pread)),
      slots_(options.depth),
      queued_(options.depth),
      finished_(options.depth) {
  free_.reserve(options.depth);
  for (std::size_t slot = options.depth; slot > 0; --slot)
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

Result<std::unique_ptr<PreadReader>> PreadReader::Open(std::span<const StorageFile> files,
                                                       const Options& options) {
  EDGEMOE_FAIL_IF_ERROR(
      CheckRange("depth", options.depth, 1, kDepthMax).WithContext("pread reader"));
  EDGEMOE_FAIL_IF_ERROR(CheckRange("thread_count", options.thread_count, 1, kThreadCountMax)
                            .WithContext("pread reader"));
  std::unique_ptr<PreadReader> reader(new PreadReader(files, options));
  reader->threads_.reserve(options.thread_count);
  try {
    for (std::size_t i = 0; i < options.thread_count; ++i)
      reader->threads_.emplace_back(&PreadReader::Work, reader.get());
  } catch (const std::system_error& error) {
    return Failure(ResourceExhaustedError(
        "pread threads: started " + std::to_string(reader->threads_.size()) + " of " +
        std::to_string(options.thread_count) + ": " + error.what()));
  }
  return reader;
}

PreadReader::~PreadReader() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  work_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

bool PreadReader::TrySubmit(const ReadRequest& request) {
  CheckRequest(request, files_.size());
  if (free_.empty()) return false;
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = ReadProgress(request);
  {
    MutexLock lock(mutex_);
    queued_.Push(slot);
  }
  work_.NotifyOne();
  return true;
}

std::size_t PreadReader::Poll(std::span<ReadCompletion> completions) {
  MutexLock lock(mutex_);
  return Deliver(completions);
}

std::size_t PreadReader::Wait(std::span<ReadCompletion> completions) {
  EDGEMOE_CHECK(!completions.empty(), "no room for a completion");
  if (in_flight() == 0) return 0;
  MutexLock lock(mutex_);
  while (finished_.empty()) done_.Wait(mutex_);
  return Deliver(completions);
}

void PreadReader::Work() {
  for (;;) {
    std::uint32_t slot;
    {
      MutexLock lock(mutex_);
      while (queued_.empty() && !stopping_) work_.Wait(mutex_);
      if (stopping_) return;
      slot = queued_.Pop();
    }
    Read(slots_[slot]);
    {
      MutexLock lock(mutex_);
      finished_.Push(slot);
    }
    done_.NotifyOne();
  }
}

void PreadReader::Read(ReadProgress& progress) const {
  const int fd = files_[progress.request().file_index].fd();
  ReadProgress::Next next;
  do {
    const ssize_t result =
        pread_(fd, progress.destination(), progress.bytes(), static_cast<off_t>(progress.offset()));
    next = progress.OnResult(result < 0 ? -std::int64_t{errno} : result);
  } while (next == ReadProgress::Next::kAgain);
}

std::size_t PreadReader::Deliver(std::span<ReadCompletion> completions) {
  std::size_t count = 0;
  for (; count < completions.size() && !finished_.empty(); ++count) {
    const std::uint32_t slot = finished_.Pop();
    const ReadProgress& read = slots_[slot];
    ReadCompletion& completion = completions[count];
    completion.tag = read.request().tag;
    completion.status = read.StatusFor(files_[read.request().file_index].path());
    completion.bytes_read = read.bytes_read();
    ++counters_.reads;
    counters_.bytes += read.bytes_read();
    counters_.retries += read.retries();
    if (!completion.status.ok()) ++counters_.errors;
    free_.push_back(slot);
  }
  return count;
}

}  // namespace edgemoe
