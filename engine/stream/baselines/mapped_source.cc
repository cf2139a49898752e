// SPDX-License-Identifier: Apache-2.0
#include "engine/stream/baselines/mapped_source.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/page_size.h"

namespace edgemoe {
namespace {

#ifdef MADV_POPULATE_READ
constexpr int kPopulateRead = MADV_POPULATE_READ;
#else
constexpr int kPopulateRead = 22;  // Linux 5.14, newer than these headers
#endif

// Bytes that this thread made the kernel read, also those it read ahead.
std::uint64_t BytesReadByThread() {
  struct rusage usage;
  if (::getrusage(RUSAGE_THREAD, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_inblock) * 512;
}

void TouchEachPage(const std::byte* begin, std::size_t bytes) {
  const std::size_t page_bytes = PageBytes();
  for (std::size_t at = 0; at < bytes; at += page_bytes)
    static_cast<void>(*static_cast<const volatile std::byte*>(begin + at));
}

}  // namespace

Result<std::unique_ptr<MappedSource>> MappedSource::Open(const ExpertLayout& layout,
                                                         std::span<const std::string> paths,
                                                         const Clock* clock) {
  std::unique_ptr<MappedSource> source(new MappedSource(layout, clock));
  for (const std::string& path : paths) {
    EDGEMOE_ASSIGN_OR_FAIL(MappedFile file, MappedFile::Open(path));
    source->files_.push_back(std::move(file));
  }
  source->wants_.reserve(layout.experts_per_layer);
  return source;
}

MappedSource::~MappedSource() {
  EDGEMOE_CHECK(unreleased_count_ == 0, "destroyed with experts in use");
}

void MappedSource::Begin(ExpertLayerIndex layer, std::span<const RoutedRow> /*rows*/,
                         std::span<const ExpertIndex> experts) {
  EDGEMOE_CHECK(given_count_ == wants_.size() && unreleased_count_ == 0,
                "the previous layer is not finished");
  EDGEMOE_CHECK(layer.value < layout_.layer_count, "no such layer");
  EDGEMOE_CHECK(experts.size() <= layout_.experts_per_layer, "more experts than the layer has");
  layer_ = layer;
  wants_.assign(experts.begin(), experts.end());
  given_count_ = 0;
}

std::size_t MappedSource::NextReady(std::span<ReadyExpert> ready) {
  EDGEMOE_CHECK(!ready.empty(), "no room for an expert");
  std::size_t count = 0;
  std::size_t hits = 0;
  while (count < ready.size() && given_count_ < wants_.size()) {
    // Residents first: a hit changes places with the first expert that was read.
    if (Give(wants_[given_count_++], ready[count])) std::swap(ready[hits++], ready[count]);
    ++count;
  }
  account_.hits += hits;
  unreleased_count_ += count;
  return count;
}

bool MappedSource::Give(ExpertIndex expert, ReadyExpert& ready) {
  EDGEMOE_CHECK(expert.value < layout_.experts_per_layer, "no such expert");
  const ExpertExtents& extents = layout_.of({layer_, expert});
  const std::uint64_t begin_ns = clock_->NowNs();
  const std::uint64_t read_before = BytesReadByThread();
  ready.expert = expert;
  ready.pin = 0;
  ready.status = OkStatus();
  for (std::size_t role = 0; role < kExpertRoleCount && ready.status.ok(); ++role)
    ready.status = Touch(extents[role]);
  for (std::size_t role = 0; role < kExpertRoleCount; ++role) {
    const ExpertExtent& extent = extents[role];
    ready.types[role] = extent.type;
    ready.matrices[role] =
        ready.status.ok() ? files_[extent.file_index].bytes().data() + extent.offset : nullptr;
  }
  if (!ready.status.ok())
    ready.status = DataLossError("expert " + std::to_string(expert.value) + " of layer " +
                                 std::to_string(layer_.value) + ": " + ready.status.message());
  const std::uint64_t read_bytes = BytesReadByThread() - read_before;
  account_.bytes_read += read_bytes;
  if (ready.status.ok()) ++account_.experts_used;
  if (ready.status.ok() && read_bytes == 0) return true;
  account_.wait_ns += clock_->NowNs() - begin_ns;
  return false;
}

Status MappedSource::Touch(const ExpertExtent& extent) const {
  EDGEMOE_CHECK(extent.file_index < files_.size(), "no such file");
  const std::span<const std::byte> file = files_[extent.file_index].bytes();
  if (extent.offset > file.size() || extent.bytes > file.size() - extent.offset)
    return DataLossError("the file ended before offset " +
                         std::to_string(extent.offset + extent.bytes) + " when it was mapped");
  const std::uint64_t begin = AlignDown(extent.offset, PageBytes());
  const std::size_t bytes = extent.offset + extent.bytes - begin;
  const std::byte* pages = file.data() + begin;
  if (bytes == 0) return OkStatus();
  int result;
  do {
    result = ::madvise(const_cast<std::byte*>(pages), bytes, kPopulateRead);
  } while (result != 0 && (errno == EINTR || errno == EAGAIN));
  if (result == 0) return OkStatus();
  if (errno != EINVAL) return ErrnoStatus(errno, "read of mapped file");
  TouchEachPage(pages, bytes);
  return OkStatus();
}

void MappedSource::Release(std::span<const ReadyExpert> ready) {
  EDGEMOE_CHECK(ready.size() <= unreleased_count_, "released twice, or never given");
  unreleased_count_ -= ready.size();
}

void MappedSource::Abandon() { given_count_ = wants_.size(); }

}  // namespace edgemoe
