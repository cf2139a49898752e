// SPDX-License-Identifier: Apache-2.0
#include "engine/io/probe/device_probe.h"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/check.h"
#include "engine/base/random.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/errno_status.h"
#include "engine/io/reader_factory.h"

namespace edgemoe {
namespace {

constexpr std::array<std::uint32_t, 4> kReadSizes = {64u << 10, 256u << 10, 1u << 20, 2u << 20};
constexpr std::array<std::uint32_t, 6> kDepths = {1, 2, 4, 8, 16, 32};
constexpr std::size_t kPointCount = kReadSizes.size() * kDepths.size();
constexpr std::size_t kSmallReadsMax = 32;
constexpr std::uint32_t kCountedReadsMin = 4;

// More in flight than the device gives in this time measures its queue, not its speed.
constexpr double kSaturationSeconds = 0.05;
constexpr double kGoodEnough = 0.95;
// What measurements of the same thing differ by on a busy machine.
constexpr double kAsGoodQueued = 0.8;

// A PCIe 5.0 link of 8 lanes; no storage of the machines we are for has more.
constexpr double kLinkBytesPerSecondMax = 30e9;
// Flash takes tens of microseconds to sense a page, the fastest SSDs about 10 for a whole read.
constexpr std::uint64_t kSmallReadNsMin = 4'000;

// Of the calling thread.
double ThreadCpuSeconds() {
  struct timespec time = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Measurement {
 public:
  Measurement(BlockReader& reader, std::uint64_t file_bytes, const Clock& clock,
              const ProbeLimits& limits, std::span<std::byte> memory)
      : reader_(reader),
        file_bytes_(file_bytes),
        clock_(clock),
        limits_(limits),
        memory_(memory),
        random_(limits.seed),
        begin_ns_(clock.NowNs()),
        completions_(reader.depth()) {}

  Status Run(DeviceProbe& probe) {
    EDGEMOE_RETURN_IF_ERROR(MeasureSmallReads(probe));
    const std::uint64_t bytes_before = bytes_;
    const double cpu_before_s = ThreadCpuSeconds();
    double best = 0;
    for (const std::uint32_t read_bytes : kReadSizes) {
      for (const std::uint32_t depth : kDepths) {
        if (!WorthMeasuring(read_bytes, depth, best)) continue;
        ProbePoint point{.read_bytes = read_bytes, .depth = depth};
        EDGEMOE_RETURN_IF_ERROR(MeasurePoint(point));
        if (point.bytes_per_second == 0) continue;
        best = std::max(best, point.bytes_per_second);
        probe.points.push_back(point);
      }
    }
    if (bytes_ > bytes_before)
      probe.cpu_seconds_per_byte =
          (ThreadCpuSeconds() - cpu_before_s) / static_cast<double>(bytes_ - bytes_before);
    return OkStatus();
  }

 private:
  bool WorthMeasuring(std::uint32_t read_bytes, std::uint32_t depth, double best) const {
    if (read_bytes > file_bytes_ || depth > reader_.depth()) return false;
    if (best == 0) return true;
    const double in_flight_bytes = static_cast<double>(read_bytes) * depth;
    return in_flight_bytes <= best * kSaturationSeconds &&
           clock_.NowNs() - begin_ns_ < limits_.time_max_ns && bytes_ < limits_.bytes_max;
  }

  void Submit(std::uint32_t read_bytes, std::uint64_t place) {
    const std::uint64_t blocks = (file_bytes_ - read_bytes) / kReadAlignment + 1;
    const bool taken = reader_.TrySubmit({.offset = random_.NextBelow(blocks) * kReadAlignment,
                                          .destination = memory_.data() + place * read_bytes,
                                          .bytes = read_bytes,
                                          .bytes_needed = read_bytes,
                                          .tag = place});
    EDGEMOE_CHECK(taken, "the reader has less depth than it says");
    bytes_ += read_bytes;
  }

  // Waits until nothing is in flight; the first failure.
  Status Drain() {
    Status status;
    while (const std::size_t count = reader_.Wait(completions_))
      for (std::size_t i = 0; i < count; ++i)
        if (status.ok()) status = completions_[i].status;
    return status;
  }

  Status MeasureSmallReads(DeviceProbe& probe) {
    std::vector<std::uint64_t> times_ns;
    while (times_ns.size() < kSmallReadsMax) {
      const std::uint64_t submitted_ns = clock_.NowNs();
      // What small reads take of the whole is a point's share.
      if (!times_ns.empty() && submitted_ns - begin_ns_ > limits_.time_max_ns / kPointCount) break;
      Submit(kReadAlignment, 0);
      reader_.Flush();
      EDGEMOE_RETURN_IF_ERROR(Drain());
      times_ns.push_back(clock_.NowNs() - submitted_ns);
    }
    std::ranges::sort(times_ns);
    probe.small_read_ns = times_ns[times_ns.size() / 2];
    return OkStatus();
  }

  // From the first completion to the last one before the pipe is left to run dry.
  Status MeasurePoint(ProbePoint& point) {
    for (std::uint32_t place = 0; place < point.depth; ++place) Submit(point.read_bytes, place);
    reader_.Flush();
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    std::uint64_t counted = 0;
    Status status;
    for (bool first = true; first || !Enough(counted, point, last_ns - first_ns); first = false) {
      const std::size_t count = reader_.Wait(completions_);
      last_ns = clock_.NowNs();
      if (first)
        first_ns = last_ns;
      else
        counted += count;
      for (std::size_t i = 0; i < count; ++i) {
        if (status.ok()) status = std::move(completions_[i].status);
        if (status.ok()) Submit(point.read_bytes, completions_[i].tag);
      }
      if (!status.ok()) break;
      reader_.Flush();
    }
    if (last_ns > first_ns)
      point.bytes_per_second = static_cast<double>(counted) * point.read_bytes * 1e9 /
                               static_cast<double>(last_ns - first_ns);
    Status drained = Drain();
    return status.ok() ? drained : status;
  }

  bool Enough(std::uint64_t counted, const ProbePoint& point, std::uint64_t elapsed_ns) const {
    if (counted < std::max(kCountedReadsMin, point.depth)) return false;
    return elapsed_ns >= limits_.time_max_ns / kPointCount ||
           counted * point.read_bytes >= limits_.bytes_max / kPointCount;
  }

  BlockReader& reader_;
  const std::uint64_t file_bytes_;
  const Clock& clock_;
  const ProbeLimits& limits_;
  const std::span<std::byte> memory_;
  Random random_;
  const std::uint64_t begin_ns_;
  std::uint64_t bytes_ = 0;
  std::vector<ReadCompletion> completions_;
};

double Best(std::span<const ProbePoint> points, std::uint32_t depth_min) {
  double best = 0;
  for (const ProbePoint& point : points)
    if (point.depth >= depth_min) best = std::max(best, point.bytes_per_second);
  return best;
}

std::string FileSystemName(std::uint64_t magic) {
  struct Known {
    std::uint64_t magic;
    const char* name;
  };
  // From linux/magic.h and the file systems' own headers.
  constexpr Known kKnown[] = {
      {0xef53, "ext4"},      {0x58465342, "xfs"},      {0x9123683e, "btrfs"},
      {0xf2f52010, "f2fs"},  {0x01021994, "tmpfs"},    {0x794c7630, "overlay"},
      {0x6969, "nfs"},       {0x65735546, "fuse"},     {0x4d44, "vfat"},
      {0x2011bab0, "exfat"}, {0x73717368, "squashfs"}, {0x2fc12fc1, "zfs"},
      {0xff534d42, "cifs"},  {0x01021997, "9p"},       {0x5346544e, "ntfs"},
  };
  for (const Known& known : kKnown)
    if (known.magic == magic) return known.name;
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(magic));
  return text;
}

}  // namespace

Result<DeviceProbe> ProbeReader(BlockReader& reader, std::uint64_t file_bytes, const Clock& clock,
                                const ProbeLimits& limits) {
  EDGEMOE_CHECK(reader.in_flight() == 0, "somebody else reads");
  if (file_bytes < kProbeFileBytesMin)
    return Failure(NotAccepted("a file of " + ShowValue(file_bytes) + " bytes",
                               AcceptedAtLeast(kProbeFileBytesMin))
                       .WithContext("probe"));
  EDGEMOE_ASSIGN_OR_FAIL(const AlignedBuffer memory, AlignedBuffer::Allocate(kProbeBufferBytes));
  static_assert(std::uint64_t{kReadSizes.back()} * kDepths.back() <= kProbeBufferBytes);
  DeviceProbe probe;
  EDGEMOE_FAIL_IF_ERROR(Measurement(reader, file_bytes, clock, limits, memory.span()).Run(probe));
  if (probe.points.empty()) return Failure(InternalError("probe: the clock stands still"));
  ChooseReadShape(probe);
  return probe;
}

void ChooseReadShape(DeviceProbe& probe) {
  EDGEMOE_CHECK(!probe.points.empty(), "nothing was measured");
  probe.bytes_per_second = Best(probe.points, 1);
  probe.depth = 0;
  const bool queues = Best(probe.points, 2) >= kAsGoodQueued * probe.bytes_per_second;
  const std::uint32_t depth_min = queues ? 2 : 1;
  const double enough = kGoodEnough * Best(probe.points, depth_min);
  for (const ProbePoint& point : probe.points) {
    if (point.depth < depth_min || point.bytes_per_second < enough) continue;
    const std::uint64_t in_flight_bytes = std::uint64_t{point.read_bytes} * point.depth;
    if (probe.depth != 0 &&
        std::pair(in_flight_bytes, point.depth) >= std::pair(probe.in_flight_bytes, probe.depth))
      continue;
    probe.read_bytes = point.read_bytes;
    probe.depth = point.depth;
    probe.in_flight_bytes = in_flight_bytes;
  }
}

void JudgeProbe(DeviceProbe& probe) {
  char text[256];
  if (!probe.direct) {
    probe.note =
        "O_DIRECT is not in force on this file system: the page cache answered, these are not the "
        "device's figures";
  } else if (probe.bytes_per_second > kLinkBytesPerSecondMax) {
    std::snprintf(text, sizeof text,
                  "%.0f GB/s is more than a storage link gives: O_DIRECT was not in force, or this "
                  "is memory",
                  probe.bytes_per_second / 1e9);
    probe.note = text;
  } else if (probe.small_read_ns < kSmallReadNsMin) {
    std::snprintf(text, sizeof text,
                  "a read took %.1f us, sooner than flash answers: O_DIRECT was not in force, or "
                  "this is memory",
                  static_cast<double>(probe.small_read_ns) * 1e-3);
    probe.note = text;
  }
}

Result<StorageKey> DescribeStorage(const std::string& path, std::string_view backend) {
  struct statfs fs;
  struct stat status;
  if (::statfs(path.c_str(), &fs) != 0 || ::stat(path.c_str(), &status) != 0)
    return Failure(ErrnoStatus(errno, path));
  return StorageKey{
      .device = std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev)),
      .file_system = FileSystemName(static_cast<std::uint64_t>(fs.f_type)),
      .backend = std::string(backend)};
}

Result<DeviceProbe> ProbeFile(const StorageFile& file, std::string_view backend, const Clock& clock,
                              const ProbeLimits& limits) {
  EDGEMOE_ASSIGN_OR_FAIL(StorageKey key, DescribeStorage(file.path(), backend));
  EDGEMOE_ASSIGN_OR_FAIL(const OpenedReader opened,
                         OpenReader({&file, 1}, {.backend = backend, .depth = kDepths.back()}));
  Result<DeviceProbe> probe = ProbeReader(*opened.reader, file.bytes(), clock, limits);
  if (!probe) return Failure(probe.error().WithContext(file.path()));
  probe->key = std::move(key);
  probe->backend = opened.reader->name();
  probe->direct = file.direct();
  JudgeProbe(*probe);
  return probe;
}

}  // namespace edgemoe
