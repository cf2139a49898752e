// SPDX-License-Identifier: Apache-2.0
//
// Measures storage: how much it gives at which size and number of reads, and so which to use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/io/block_reader.h"
#include "engine/io/storage_file.h"

namespace edgemoe {

// Random reads of one size, so many in flight all the time.
struct ProbePoint {
  std::uint32_t read_bytes = 0;
  std::uint32_t depth = 0;
  double bytes_per_second = 0;
};

// Which storage: what is true of one file is true of its neighbours.
struct StorageKey {
  std::string device;       // "259:1": major and minor number
  std::string file_system;  // "ext4", or its magic number as in "0x1234"
  std::string backend;      // as it was asked for: "auto", "io_uring", "pread"
  bool operator==(const StorageKey&) const = default;
};

struct DeviceProbe {
  StorageKey key;
  std::string backend;              // the one that was measured
  bool direct = false;              // the reads went around the page cache
  std::vector<ProbePoint> points;   // in the order of measuring
  double bytes_per_second = 0;      // the best of `points`
  std::uint64_t small_read_ns = 0;  // one read of kReadAlignment alone: the median
  // Of the thread that submits and reaps, for each byte that is read: computing waits for it.
  double cpu_seconds_per_byte = 0;
  std::uint32_t read_bytes = 0;       // chosen: see ChooseReadShape
  std::uint32_t depth = 0;            // chosen
  std::uint64_t in_flight_bytes = 0;  // chosen: read_bytes * depth
  std::string note;                   // why the figures may not be the device's; empty: they are
};

struct ProbeLimits {
  std::uint64_t time_max_ns = 1'000'000'000;  // about; no point starts after it
  std::uint64_t bytes_max = std::uint64_t{2} << 30;
  std::uint64_t seed = 1;  // of the offsets
};

// What can be read at once; less than this cannot be measured.
constexpr std::uint32_t kProbeFileBytesMin = 64 * 1024;
constexpr std::uint64_t kProbeBufferBytes = std::uint64_t{64} << 20;

// Measures file 0 of `reader`, of `file_bytes`, at sizes from 64 KiB to 2 MiB and depths from 1 to
// 32 as far as file and reader allow. Each point is measured while its reads are all in flight;
// points whose reads would take long at the speed seen so far are left out, for the device is busy
// with fewer. Leaves `key`, `backend`, `direct` and `note` to the caller.
//
// Uses kProbeBufferBytes for the call's duration. INVALID_ARGUMENT for a file below
// kProbeFileBytesMin; RESOURCE_EXHAUSTED for memory; a read's own error. Afterwards nothing is in
// flight. REQUIRES: nothing is in flight.
Result<DeviceProbe> ProbeReader(BlockReader& reader, std::uint64_t file_bytes, const Clock& clock,
                                const ProbeLimits& limits = {});

// Sets bytes_per_second, the best of all points, and chooses among those with two reads or more in
// flight: with one, storage idles while we look at what it gave. Of those that reach 95 % of the
// best of them the one with the fewest bytes in flight, and of equals the one with the fewest
// reads. Where they are all slower than single reads by a fifth, of all points. REQUIRES: there is
// a point.
void ChooseReadShape(DeviceProbe& probe);

// Sets `note` when the figures cannot be the device's own: no O_DIRECT, more than any link gives,
// or an answer sooner than flash has.
void JudgeProbe(DeviceProbe& probe);

// Of a file or a folder. Errors name the path.
Result<StorageKey> DescribeStorage(const std::string& path, std::string_view backend);

// All of the above for a file: opens a reader of its own.
Result<DeviceProbe> ProbeFile(const StorageFile& file, std::string_view backend, const Clock& clock,
                              const ProbeLimits& limits = {});

}  // namespace edgemoe
