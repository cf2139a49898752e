// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/storage_speed.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

// The value at `x` of the line through (x0, y0) and (x1, y1), in the logarithms of x.
double Between(double x, double x0, double y0, double x1, double y1) {
  const double share = std::log(x / x0) / std::log(x1 / x0);
  return y0 + share * (y1 - y0);
}

// `items` ascend by `x_of`; `y_of` gives an item's value.
template <class Items, class X, class Y>
double Interpolate(const Items& items, double x, X x_of, Y y_of) {
  if (x <= x_of(items.front())) return y_of(items.front());
  for (std::size_t i = 1; i < items.size(); ++i)
    if (x <= x_of(items[i]))
      return Between(x, x_of(items[i - 1]), y_of(items[i - 1]), x_of(items[i]), y_of(items[i]));
  return y_of(items.back());
}

}  // namespace

StorageSpeed::StorageSpeed(std::vector<StoragePoint> points) {
  EDGEMOE_CHECK(!points.empty(), "nothing was measured");
  std::ranges::sort(points, [](const StoragePoint& a, const StoragePoint& b) {
    return a.read_bytes != b.read_bytes ? a.read_bytes < b.read_bytes : a.depth < b.depth;
  });
  for (const StoragePoint& point : points) {
    EDGEMOE_CHECK(point.read_bytes > 0 && point.depth > 0 && point.bytes_per_second > 0,
                  "a point of nothing");
    if (sizes_.empty() || sizes_.back().read_bytes != point.read_bytes)
      sizes_.push_back({point.read_bytes, {}});
    sizes_.back().points.push_back(point);
  }
  for (std::size_t size = 0; size < sizes_.size(); ++size) {
    for (StoragePoint& point : sizes_[size].points)
      for (const Size& smaller : std::span(sizes_).first(size + 1))
        for (const StoragePoint& other : smaller.points)
          if (other.depth <= point.depth)
            point.bytes_per_second = std::max(point.bytes_per_second, other.bytes_per_second);
  }
}

double StorageSpeed::BytesPerSecond(double read_bytes, double depth) const {
  const auto of_size = [&](const Size& size) {
    return Interpolate(
        size.points, depth, [](const StoragePoint& point) { return point.depth; },
        [](const StoragePoint& point) { return point.bytes_per_second; });
  };
  return Interpolate(
      sizes_, read_bytes, [](const Size& size) { return size.read_bytes; }, of_size);
}

double StorageSpeed::BurstSeconds(double read_bytes, double reads) const {
  if (reads <= 0 || read_bytes <= 0) return 0;
  return reads * read_bytes / BytesPerSecond(read_bytes, std::max(reads, 1.0));
}

}  // namespace edgemoe
