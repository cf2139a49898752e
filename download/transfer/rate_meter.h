// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace edgemoe {

// How fast something grows, over the last few seconds. Thread-compatible.
class RateMeter {
 public:
  static constexpr std::uint64_t kSpacingNs = 250'000'000;
  static constexpr std::size_t kSamples = 20;

  // `bytes` in all at this time, which never goes back. False: the last call that counted is less
  // than kSpacingNs ago.
  bool Add(std::uint64_t now_ns, std::uint64_t bytes) {
    if (count_ > 0 && now_ns - At(count_ - 1).now_ns < kSpacingNs) return false;
    samples_[count_++ % kSamples] = {now_ns, bytes};
    return true;
  }

  // 0 while there is nothing to tell it from, or nothing came.
  double BytesPerSecond() const {
    if (count_ < 2) return 0;
    const Sample& first = At(count_ <= kSamples ? 0 : count_ - kSamples);
    const Sample& last = At(count_ - 1);
    if (last.bytes <= first.bytes) return 0;
    return static_cast<double>(last.bytes - first.bytes) * 1e9 /
           static_cast<double>(last.now_ns - first.now_ns);
  }

 private:
  struct Sample {
    std::uint64_t now_ns = 0;
    std::uint64_t bytes = 0;
  };
  const Sample& At(std::size_t index) const { return samples_[index % kSamples]; }

  std::array<Sample, kSamples> samples_ = {};
  std::size_t count_ = 0;
};

}  // namespace edgemoe
