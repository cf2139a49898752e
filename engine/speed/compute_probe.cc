// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/compute_probe.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "engine/base/system/aligned_buffer.h"
#include "engine/base/system/processor.h"

namespace edgemoe {
namespace {

constexpr std::size_t kColumns = 2048;                          // a multiple of every type's block
constexpr std::uint64_t kItemBytes = 128 * 1024;                // of what is only read
constexpr std::uint64_t kMatrixBytes = std::uint64_t{2} << 20;  // about what a projection has
constexpr std::uint64_t kWeightsBytesMin = std::uint64_t{32} << 20;
constexpr std::uint64_t kCacheBytesAssumed = std::uint64_t{2} << 20;
constexpr std::uint64_t kCachedBytesMin = std::uint64_t{256} << 10;
// Of caches: weights several times as large do not stay there, half as large do.
constexpr std::uint64_t kBeyondCache = 4;
constexpr std::uint64_t kWithinCache = 2;

constexpr std::size_t kLoops = 256;  // of one pass
constexpr std::size_t kLoopItemsPerThread = 4;

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Measurement {
 public:
  Measurement(const KernelTable& kernels, ComputePool& pool, const Clock& clock,
              const ComputeLimits& limits, std::span<const std::byte> weights)
      : kernels_(kernels), pool_(pool), clock_(clock), limits_(limits), weights_(weights) {}

  double ReadRate() {
    const std::size_t items = weights_.size() / kItemBytes;
    std::atomic<std::uint64_t> sum = 0;  // the compiler may not leave the reads out
    const double seconds = PassSeconds([&] {
      pool_.ParallelFor(items, [&](std::size_t item, std::size_t) {
        sum.fetch_add(SumOf(weights_.data() + item * kItemBytes), std::memory_order_relaxed);
      });
    });
    return static_cast<double>(items * kItemBytes) / seconds;
  }

  double LoopSeconds() {
    const std::size_t items = kLoopItemsPerThread * pool_.thread_count();
    std::vector<std::uint64_t> places(items * kPlaceStride);
    const double seconds = PassSeconds([&] {
      for (std::size_t loop = 0; loop < kLoops; ++loop)
        pool_.ParallelFor(items,
                          [&](std::size_t item, std::size_t) { ++places[item * kPlaceStride]; });
    });
    return seconds / kLoops;
  }

  // One matrix after another, each encoded for and shared out as a layer's are.
  double ProductRate(TensorType type, std::uint64_t weights_bytes) {
    const std::size_t row_bytes = RowBytes(type, kColumns).value_or(0);
    const std::size_t items = kLoopItemsPerThread * pool_.thread_count();
    const std::size_t item_rows = std::max<std::size_t>(1, kMatrixBytes / items / row_bytes);
    const std::size_t matrix_bytes = items * item_rows * row_bytes;
    const std::size_t matrices = std::max<std::size_t>(
        1, std::min<std::uint64_t>(weights_bytes, weights_.size()) / matrix_bytes);
    const ActivationType activation = ActivationTypeFor(type);
    const std::size_t x_bytes = ActivationRowBytes(activation, kColumns);
    std::vector<float> x(kColumns, 1.0F);
    std::vector<float> encoded((x_bytes + sizeof(float) - 1) / sizeof(float));
    auto* const encoded_bytes = reinterpret_cast<std::byte*>(encoded.data());
    std::vector<float> y(items * item_rows);
    const auto encode = kernels_.encode[static_cast<std::size_t>(activation)];
    const auto mat_mul = kernels_.mat_mul[static_cast<std::size_t>(type)];
    const double seconds = PassSeconds([&] {
      for (std::size_t matrix = 0; matrix < matrices; ++matrix) {
        encode(x.data(), kColumns, encoded_bytes);
        pool_.ParallelFor(items, [&](std::size_t item, std::size_t) {
          mat_mul({.weights = weights_.data() + matrix * matrix_bytes,
                   .weight_row_bytes = row_bytes,
                   .row_begin = item * item_rows,
                   .row_end = (item + 1) * item_rows,
                   .columns = kColumns,
                   .x = encoded_bytes,
                   .x_row_bytes = x_bytes,
                   .token_count = 1,
                   .y = y.data(),
                   .y_stride = y.size()});
        });
      }
    });
    return static_cast<double>(matrices * matrix_bytes) / seconds;
  }

 private:
  static constexpr std::size_t kPlaceStride = 16;  // places of items are cache lines apart

  static std::uint64_t SumOf(const std::byte* bytes) {
    std::uint64_t sums[8] = {};
    for (std::size_t at = 0; at < kItemBytes; at += sizeof sums) {
      std::uint64_t words[8];
      std::memcpy(words, bytes + at, sizeof words);
      for (std::size_t i = 0; i < 8; ++i) sums[i] += words[i];
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t one : sums) sum += one;
    return sum;
  }

  // The median of one pass, after one that nobody counts.
  template <class Pass>
  double PassSeconds(Pass pass) {
    pass();
    std::vector<double> seconds;
    const std::uint64_t begin_ns = clock_.NowNs();
    std::uint64_t start_ns = begin_ns;
    while (seconds.size() < limits_.passes_min ||
           (start_ns - begin_ns < limits_.type_ns && seconds.size() < kPassesMax)) {
      pass();
      const std::uint64_t end_ns = clock_.NowNs();
      // A clock that stood still would give a rate without end.
      seconds.push_back(static_cast<double>(std::max<std::uint64_t>(end_ns - start_ns, 1)) * 1e-9);
      start_ns = end_ns;
    }
    return Median(std::move(seconds));
  }

  static constexpr std::size_t kPassesMax = 10'000;

  const KernelTable& kernels_;
  ComputePool& pool_;
  const Clock& clock_;
  const ComputeLimits& limits_;
  const std::span<const std::byte> weights_;
};

}  // namespace

const ComputeRate* ComputeProbe::RateOf(TensorType type) const {
  const auto found = std::ranges::find(rates, type, &ComputeRate::type);
  return found == rates.end() ? nullptr : &*found;
}

Result<ComputeProbe> MeasureCompute(const KernelTable& kernels, ComputePool& pool,
                                    std::span<const TensorType> types, const Clock& clock,
                                    const ComputeLimits& limits) {
  ComputeProbe probe;
  probe.key = {.processor = ProcessorName(),
               .kernels = kernels.name,
               .threads = static_cast<std::uint32_t>(pool.thread_count())};
  probe.cache_bytes = LastCacheBytes() == 0 ? kCacheBytesAssumed : LastCacheBytes();
  const std::uint64_t bytes =
      std::clamp(kBeyondCache * probe.cache_bytes, kWeightsBytesMin, kComputeProbeBytes);
  EDGEMOE_ASSIGN_OR_FAIL(const AlignedBuffer weights, AlignedBuffer::Allocate(bytes));
  // Scales of about one as halves, and normal numbers as other types' scales and elements.
  std::memset(weights.data(), 0x3c, weights.bytes());
  Measurement measurement(kernels, pool, clock, limits, weights.span());
  probe.read_bytes_per_second = measurement.ReadRate();
  probe.loop_seconds = measurement.LoopSeconds();
  const std::uint64_t cached_bytes =
      std::clamp(probe.cache_bytes / kWithinCache, kCachedBytesMin, bytes / kWithinCache);
  for (const TensorType type : types) {
    if (!TraitsOf(type).computable || probe.RateOf(type) != nullptr) continue;
    probe.rates.push_back(
        {.type = type,
         .memory_bytes_per_second = measurement.ProductRate(type, weights.bytes()),
         .cache_bytes_per_second = measurement.ProductRate(type, cached_bytes)});
  }
  return probe;
}

}  // namespace edgemoe
