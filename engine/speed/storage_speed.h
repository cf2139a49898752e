// SPDX-License-Identifier: Apache-2.0
//
// How long storage takes for some reads that are all asked for at once, from what a probe measured.
#pragma once

#include <cstdint>
#include <vector>

namespace edgemoe {

struct StoragePoint {
  double read_bytes = 0;  // of each read
  double depth = 0;       // reads in flight all the time
  double bytes_per_second = 0;
};

class StorageSpeed {
 public:
  // REQUIRES: there is a point, and each of its numbers is above 0.
  explicit StorageSpeed(std::vector<StoragePoint> points);

  // With so many reads of this size in flight: between the points measured, by the logarithms of
  // size and depth; beyond them as at the nearest. A point counts as no slower than those of
  // smaller reads and of fewer: each was measured for a moment, in which others may have used the
  // device.
  double BytesPerSecond(double read_bytes, double depth) const;

  // Of `reads` reads of `read_bytes` each, none before and none after them.
  double BurstSeconds(double read_bytes, double reads) const;

 private:
  // The points of one size, by depth.
  struct Size {
    double read_bytes = 0;
    std::vector<StoragePoint> points;
  };
  std::vector<Size> sizes_;  // ascending
};

}  // namespace edgemoe
