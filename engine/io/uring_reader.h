// SPDX-License-Identifier: Apache-2.0
//
// Reads through io_uring: the thread that computes also submits and reaps, nobody has to be woken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/block_reader.h"
#include "engine/io/read_progress.h"
#include "engine/io/slot_queue.h"
#include "engine/io/storage_file.h"

struct io_uring;

namespace edgemoe {

// BlockReader over one ring. Each request is in exactly one place:
//   free      its slot is in `free_`;
//   held      taken, in `held_` in order: the kernel has not seen it (again) yet;
//   kernel    submitted, counted in `kernel_count_`;
//   finished  in `finished_`, waits for the caller to reap it.
// TrySubmit moves free -> held, Submit held -> kernel, Reap kernel -> finished or back to held for
// a retry, Deliver finished -> free. `in_flight()` counts all that are not free.
//
// When the kernel refuses submissions for good, everything held ends as UNAVAILABLE, and so does
// every later request: the ring is `broken_`.
class UringReader final : public BlockReader {
 public:
  struct Options {
    std::size_t depth = 64;  // 1 to kDepthMax
  };
  static constexpr std::size_t kDepthMax = 4096;

  // `files` must outlive the reader. UNAVAILABLE where there is no io_uring, with the probable
  // reason; INVALID_ARGUMENT for a depth out of range. Files that cannot be registered are used
  // unregistered: see `notes`.
  static Result<std::unique_ptr<UringReader>> Open(std::span<const StorageFile> files,
                                                   const Options& options);
  ~UringReader() override;

  std::string_view name() const override { return "io_uring"; }
  std::size_t depth() const override { return slots_.size(); }
  bool TrySubmit(const ReadRequest& request) override;
  void Flush() override;
  std::size_t Poll(std::span<ReadCompletion> completions) override;
  std::size_t Wait(std::span<ReadCompletion> completions) override;
  std::size_t in_flight() const override { return slots_.size() - free_.size(); }
  // Registers them with the ring, so that the kernel need not pin pages for each read.
  Status SetFixedBuffers(std::span<const std::span<std::byte>> regions) override;
  void OnFilesReopened() override;
  const ReaderCounters& counters() const override { return counters_; }

  bool files_registered() const { return files_registered_; }
  bool buffers_registered() const { return !regions_.empty(); }
  // What could not be had at Open and why, for the log; empty when all is well.
  const std::string& notes() const { return notes_; }

 private:
  struct RingCloser {
    void operator()(io_uring* ring) const;
  };

  UringReader(std::span<const StorageFile> files, std::size_t depth);
  void RegisterFiles();

  void PrepareHeld();
  // Hands what is held to the kernel; also waits for a completion when `wait`.
  void Submit(bool wait);
  void OnRefusal(int error, bool wait);
  // Takes what the kernel has finished.
  void Reap();
  void Finish(std::uint32_t slot, Status status);
  Status BrokenStatus(std::uint32_t slot) const;
  void Break(int error);
  std::size_t Deliver(std::span<ReadCompletion> completions);

  std::span<const StorageFile> files_;
  std::unique_ptr<io_uring, RingCloser> ring_;
  bool files_registered_ = false;
  std::vector<std::span<std::byte>> regions_;  // registered buffers, by their index in the ring
  std::string notes_;

  std::vector<ReadProgress> slots_;  // [depth]
  std::vector<Status> statuses_;     // [depth], of finished slots
  std::vector<std::uint32_t> free_;
  SlotQueue held_;
  SlotQueue finished_;
  std::size_t prepared_count_ = 0;  // of `held_`, from its front: already in the submission queue
  std::size_t kernel_count_ = 0;
  int refusals_ = 0;  // submissions that the kernel refused in a row while it had none of ours
  int broken_ = 0;    // the errno that broke the ring, or 0
  ReaderCounters counters_;
};

}  // namespace edgemoe
