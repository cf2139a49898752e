// SPDX-License-Identifier: Apache-2.0
#include "engine/io/uring_reader.h"

#include <liburing.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/check.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

// The kernel's limit for one registered buffer.
constexpr std::size_t kRegionBytesMax = std::size_t{1} << 30;
constexpr auto kRefusalPause = std::chrono::milliseconds(1);

Status NoRing(int error) {
  std::string why;
  if (error == ENOSYS)
    why = " (kernel without io_uring, or a container's seccomp filter hides it)";
  else if (error == EPERM || error == EACCES)
    why = " (a container's seccomp filter, or sysctl kernel.io_uring_disabled)";
  else if (error == ENOMEM)
    why = " (RLIMIT_MEMLOCK too low for this kernel)";
  return UnavailableError(ErrnoStatus(error, "io_uring").message() + why);
}

// Completions need not interrupt the thread that computes: it looks for them by itself.
int InitRing(unsigned entries, io_uring* ring) {
  const int error =
      io_uring_queue_init(entries, ring, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG);
  return error == -EINVAL ? io_uring_queue_init(entries, ring, 0) : error;
}

bool HasRead(io_uring* ring) {
  io_uring_probe* probe = io_uring_get_probe_ring(ring);
  if (probe == nullptr) return false;
  const bool has = io_uring_opcode_supported(probe, IORING_OP_READ) != 0;
  io_uring_free_probe(probe);
  return has;
}

std::string LockLimitText() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return "";
  return " (RLIMIT_MEMLOCK is " + FormatByteSize(limit.rlim_cur) + ")";
}

}  // namespace

void UringReader::RingCloser::operator()(io_uring* ring) const {
  io_uring_queue_exit(ring);
  delete ring;
}

UringReader::UringReader(std::span<const StorageFile> files, std::size_t depth)
    : files_(files), slots_(depth), statuses_(depth), held_(depth), finished_(depth) {
  free_.reserve(depth);
  for (std::size_t slot = depth; slot > 0; --slot)
    free_.push_back(static_cast<std::uint32_t>(slot - 1));
}

Result<std::unique_ptr<UringReader>> UringReader::Open(std::span<const StorageFile> files,
                                                       const Options& options) {
  EDGEMOE_FAIL_IF_ERROR(
      CheckRange("depth", options.depth, 1, kDepthMax).WithContext("io_uring reader"));
  auto ring = std::make_unique<io_uring>();
  // At least as many entries as slots: a prepared request always finds room, and as the completion
  // queue is twice as long, it never overflows.
  if (const int error = InitRing(static_cast<unsigned>(options.depth), ring.get()); error < 0)
    return Failure(NoRing(-error));
  std::unique_ptr<UringReader> reader(new UringReader(files, options.depth));
  reader->ring_.reset(ring.release());
  if (!HasRead(reader->ring_.get()))
    return Failure(UnavailableError("io_uring: this kernel's has no plain read (before 5.6)"));
  reader->RegisterFiles();
  return reader;
}

void UringReader::RegisterFiles() {
  if (files_.empty()) return;
  std::vector<int> descriptors;
  descriptors.reserve(files_.size());
  for (const StorageFile& file : files_) descriptors.push_back(file.fd());
  const int error = io_uring_register_files(ring_.get(), descriptors.data(),
                                            static_cast<unsigned>(descriptors.size()));
  files_registered_ = error == 0;
  if (error != 0) notes_ = ErrnoStatus(-error, "io_uring: files not registered").message();
}

void UringReader::OnFilesReopened() {
  EDGEMOE_CHECK(in_flight() == 0, "files are replaced under reads");
  // Registered, the old files would go on being read, and not be closed.
  if (files_registered_) io_uring_unregister_files(ring_.get());
  RegisterFiles();
}

UringReader::~UringReader() {
  while (kernel_count_ > 0) {
    io_uring_cqe* completion = nullptr;
    if (io_uring_wait_cqe(ring_.get(), &completion) != 0) continue;
    io_uring_cqe_seen(ring_.get(), completion);
    --kernel_count_;
  }
}

bool UringReader::TrySubmit(const ReadRequest& request) {
  CheckRequest(request, files_.size());
  if (free_.empty()) return false;
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = ReadProgress(request);
  if (broken_ != 0)
    Finish(slot, BrokenStatus(slot));
  else
    held_.Push(slot);
  return true;
}

void UringReader::Flush() { Submit(/*wait=*/false); }

std::size_t UringReader::Poll(std::span<ReadCompletion> completions) {
  Reap();
  Submit(/*wait=*/false);
  return Deliver(completions);
}

std::size_t UringReader::Wait(std::span<ReadCompletion> completions) {
  EDGEMOE_CHECK(!completions.empty(), "no room for a completion");
  if (in_flight() == 0) return 0;
  Reap();
  while (finished_.empty()) {
    Submit(/*wait=*/true);
    Reap();
  }
  return Deliver(completions);
}

Status UringReader::SetFixedBuffers(std::span<const std::span<std::byte>> regions) {
  EDGEMOE_CHECK(in_flight() == 0, "buffers changed under reads");
  if (!regions_.empty()) io_uring_unregister_buffers(ring_.get());
  regions_.clear();
  std::vector<iovec> vectors;
  std::uint64_t bytes = 0;
  for (const std::span<std::byte> region : regions) {
    bytes += region.size();
    for (std::size_t begin = 0; begin < region.size(); begin += kRegionBytesMax) {
      const auto part = region.subspan(begin, std::min(kRegionBytesMax, region.size() - begin));
      regions_.push_back(part);
      vectors.push_back({.iov_base = part.data(), .iov_len = part.size()});
    }
  }
  if (vectors.empty()) return OkStatus();
  const int error =
      io_uring_register_buffers(ring_.get(), vectors.data(), static_cast<unsigned>(vectors.size()));
  if (error == 0) return OkStatus();
  regions_.clear();
  return UnavailableError(
      ErrnoStatus(-error, "io_uring: buffers of " + FormatByteSize(bytes) + " not registered")
          .message() +
      LockLimitText());
}

void UringReader::PrepareHeld() {
  for (; prepared_count_ < held_.size(); ++prepared_count_) {
    const std::uint32_t slot = held_.At(prepared_count_);
    const ReadProgress& read = slots_[slot];
    io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
    EDGEMOE_CHECK(entry != nullptr, "submission queue shorter than depth");
    const std::uint32_t file_index = read.request().file_index;
    const int file = files_registered_ ? static_cast<int>(file_index) : files_[file_index].fd();
    const std::byte* end = read.destination() + read.bytes();
    const auto region = std::ranges::find_if(regions_, [&](std::span<std::byte> bytes) {
      return read.destination() >= bytes.data() && end <= bytes.data() + bytes.size();
    });
    if (region != regions_.end())
      io_uring_prep_read_fixed(entry, file, read.destination(), read.bytes(), read.offset(),
                               static_cast<int>(region - regions_.begin()));
    else
      io_uring_prep_read(entry, file, read.destination(), read.bytes(), read.offset());
    if (files_registered_) io_uring_sqe_set_flags(entry, IOSQE_FIXED_FILE);
    io_uring_sqe_set_data64(entry, slot);
  }
}

void UringReader::Submit(bool wait) {
  if (broken_ == 0) PrepareHeld();
  if (prepared_count_ == 0 && !wait) return;
  int result;
  if (broken_ == 0) {
    result = wait ? io_uring_submit_and_wait(ring_.get(), 1) : io_uring_submit(ring_.get());
  } else {
    io_uring_cqe* completion = nullptr;
    result = io_uring_wait_cqe(ring_.get(), &completion);
  }
  if (result < 0) {
    OnRefusal(-result, wait);
    return;
  }
  if (broken_ != 0) return;
  refusals_ = 0;
  for (int i = 0; i < result; ++i) held_.Pop();
  prepared_count_ -= static_cast<std::size_t>(result);
  kernel_count_ += static_cast<std::size_t>(result);
}

void UringReader::OnRefusal(int error, bool wait) {
  if (error == EINTR) return;
  const bool may_pass = error == EAGAIN || error == EBUSY || error == ENOMEM;
  if (broken_ == 0 && may_pass && kernel_count_ > 0) {
    // Memory for requests comes back as those in the kernel end.
    io_uring_cqe* completion = nullptr;
    if (wait) io_uring_wait_cqe(ring_.get(), &completion);
    return;
  }
  if (broken_ == 0 && (!may_pass || ++refusals_ > kReadRetriesMax)) {
    Break(error);
    return;
  }
  if (wait) std::this_thread::sleep_for(kRefusalPause);
}

void UringReader::Break(int error) {
  // What is prepared stays in the submission queue, unseen: the kernel is never entered with it
  // again.
  broken_ = error;
  prepared_count_ = 0;
  while (!held_.empty()) {
    const std::uint32_t slot = held_.Pop();
    Finish(slot, BrokenStatus(slot));
  }
}

Status UringReader::BrokenStatus(std::uint32_t slot) const {
  const ReadRequest& request = slots_[slot].request();
  return UnavailableError(ErrnoStatus(broken_, "read: " + files_[request.file_index].path() +
                                                   " at offset " + std::to_string(request.offset) +
                                                   ": io_uring refuses requests")
                              .message());
}

void UringReader::Reap() {
  io_uring_cqe* completion = nullptr;
  while (kernel_count_ > 0 && io_uring_peek_cqe(ring_.get(), &completion) == 0) {
    const auto slot = static_cast<std::uint32_t>(io_uring_cqe_get_data64(completion));
    const std::int64_t result = completion->res;
    io_uring_cqe_seen(ring_.get(), completion);
    --kernel_count_;
    ReadProgress& read = slots_[slot];
    if (read.OnResult(result) != ReadProgress::Next::kAgain)
      Finish(slot, read.StatusFor(files_[read.request().file_index].path()));
    else if (broken_ != 0)
      Finish(slot, BrokenStatus(slot));
    else
      held_.Push(slot);
  }
}

void UringReader::Finish(std::uint32_t slot, Status status) {
  const ReadProgress& read = slots_[slot];
  ++counters_.reads;
  counters_.bytes += read.bytes_read();
  counters_.retries += read.retries();
  if (!status.ok()) ++counters_.errors;
  statuses_[slot] = std::move(status);
  finished_.Push(slot);
}

std::size_t UringReader::Deliver(std::span<ReadCompletion> completions) {
  std::size_t count = 0;
  for (; count < completions.size() && !finished_.empty(); ++count) {
    const std::uint32_t slot = finished_.Pop();
    ReadCompletion& completion = completions[count];
    completion.tag = slots_[slot].request().tag;
    completion.status = std::move(statuses_[slot]);
    completion.bytes_read = slots_[slot].bytes_read();
    free_.push_back(slot);
  }
  return count;
}

}  // namespace edgemoe
