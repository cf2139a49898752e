// SPDX-License-Identifier: Apache-2.0
//
// Reads with pread on a few threads: for kernels and containers without io_uring.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/result.h"
#include "engine/io/block_reader.h"
#include "engine/io/read_progress.h"
#include "engine/io/slot_queue.h"
#include "engine/io/storage_file.h"

namespace edgemoe {

class PreadReader final : public BlockReader {
 public:
  // pread(2): bytes read, or -1 with errno set. Called by several threads at once.
  using PreadCall = std::function<ssize_t(int fd, void* memory, std::size_t bytes, off_t offset)>;

  struct Options {
    std::size_t depth = 64;        // 1 to kDepthMax
    std::size_t thread_count = 4;  // 1 to kThreadCountMax: reads at the device at once
    PreadCall pread = {};          // empty: the kernel's; tests play a bad one
  };
  static constexpr std::size_t kDepthMax = 4096;
  static constexpr std::size_t kThreadCountMax = 64;

  // `files` must outlive the reader. INVALID_ARGUMENT for options out of range,
  // RESOURCE_EXHAUSTED when threads cannot be started.
  static Result<std::unique_ptr<PreadReader>> Open(std::span<const StorageFile> files,
                                                   const Options& options);
  // Drops what no thread has begun, waits for what one has.
  ~PreadReader() override;

  std::string_view name() const override { return "pread"; }
  std::size_t depth() const override { return slots_.size(); }
  bool TrySubmit(const ReadRequest& request) override;
  void Flush() override {}
  std::size_t Poll(std::span<ReadCompletion> completions) override;
  std::size_t Wait(std::span<ReadCompletion> completions) override;
  std::size_t in_flight() const override { return slots_.size() - free_.size(); }
  const ReaderCounters& counters() const override { return counters_; }

 private:
  PreadReader(std::span<const StorageFile> files, const Options& options);
  void Work();
  void Read(ReadProgress& progress) const;
  std::size_t Deliver(std::span<ReadCompletion> completions) REQUIRES(mutex_);

  // A slot belongs to the caller's thread unless its index is queued or in a worker's hands; the
  // queues hand it over.
  std::span<const StorageFile> files_;
  PreadCall pread_;
  std::vector<ReadProgress> slots_;  // [depth]
  std::vector<std::uint32_t> free_;
  ReaderCounters counters_;

  Mutex mutex_;
  CondVar work_;  // `queued_` is not empty, or `stopping_`
  CondVar done_;  // `finished_` is not empty
  SlotQueue queued_ GUARDED_BY(mutex_);
  SlotQueue finished_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace edgemoe
