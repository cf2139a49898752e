// SPDX-License-Identifier: Apache-2.0
//
// How fast storage is and how it likes to be read, as a service.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

struct ProbeOptions {
  // A file on the storage, of at least 64 KiB: it is read at random. In place of a folder, and of a
  // file that has no room on the disk for half of its bytes, the largest file beside it is read
  // that has them.
  std::string path;
  std::string state_directory;  // where results are kept; empty: nowhere
  bool fresh = false;           // measure also when a result is kept
  bool kept_only = false;       // never measure; not with `fresh`
  std::string io_backend = "auto";
};

struct ProbeReport {
  struct Point {
    std::uint32_t read_bytes = 0;
    std::uint32_t depth = 0;
    double bytes_per_second = 0;
  };
  std::string device;       // "259:1": major and minor number
  std::string file_system;  // "ext4"
  std::string io_backend;   // the one that was measured
  bool direct = false;      // the reads went around the page cache
  bool kept = false;        // of an earlier probe
  std::vector<Point> points;
  double bytes_per_second = 0;      // the best of them
  std::uint64_t small_read_ns = 0;  // one read of 4 KiB alone
  double cpu_seconds_per_byte = 0;  // of the thread that reads
  // Chosen: the fewest bytes in flight that reach 95 % of the best.
  std::uint32_t read_bytes = 0;
  std::uint32_t depth = 0;
  std::uint64_t in_flight_bytes_max = 0;
  // Why the figures may not be the device's, or were not kept; empty: all is well.
  std::string note;
};

// Measures how fast the storage under a file is and how it likes to be read, in about a second; or
// gives what an earlier probe of it found. NOT_FOUND: nothing is kept, and `kept_only`.
// FAILED_PRECONDITION: a folder without a file to be read.
// Errors name the path.
Result<ProbeReport> ProbeStorage(const ProbeOptions& options);

}  // namespace edgemoe
