// SPDX-License-Identifier: Apache-2.0
//
// Measures matrix products on one core, every table and type of this machine:
//
//   mat_mul_speed [KERNELS]
//
// prints how many GB of weights are multiplied in a second by one token, as decode does, when they
// come from memory and when they come from the second-level cache, and the billions of
// multiply-adds a second with four tokens in one call, as prefill does. Matrices are experts'
// ([768, 2048]).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string_view>

#include "tests/engine/kernels/kernel_cases.h"

namespace edgemoe {
namespace {

constexpr std::size_t kRows = 768;
constexpr std::size_t kColumns = 2048;
constexpr std::size_t kTokens = 4;
constexpr std::size_t kMemoryBytes = std::size_t{192} << 20;  // beyond any cache
constexpr std::size_t kCachedRows = 96;
constexpr double kSeconds = 0.4;  // of each measurement

// The shortest time of one call of `work`, which takes some hundred microseconds: what else runs on
// the machine disturbs most calls, not all.
template <class Work>
double Fastest(Work work) {
  using Clock = std::chrono::steady_clock;
  double fastest = kSeconds;
  const auto begin = Clock::now();
  auto start = begin;
  while (start - begin < std::chrono::duration<double>(kSeconds)) {
    work();
    const auto end = Clock::now();
    fastest = std::min(fastest, std::chrono::duration<double>(end - start).count());
    start = end;
  }
  return fastest;
}

void Measure(const KernelTable& table, const TensorTypeTraits& traits) {
  Random random(1);
  const auto mat_mul = table.mat_mul[static_cast<std::size_t>(traits.type)];
  const std::size_t row_bytes = RowBytes(traits.type, kColumns).value();
  const std::size_t matrix_bytes = kRows * row_bytes;
  const std::size_t matrix_count = kMemoryBytes / matrix_bytes;
  // Scales of about one as halves, and normal numbers as other types' scales and elements.
  const std::vector<std::byte> weights(matrix_count * matrix_bytes, std::byte{0x3c});
  const ActivationType activation = ActivationTypeFor(traits.type);
  const std::size_t x_row_bytes = ActivationRowBytes(activation, kColumns);
  std::vector<std::byte> x(kTokens * x_row_bytes);
  for (std::size_t token = 0; token < kTokens; ++token) {
    table.encode[static_cast<std::size_t>(activation)](RandomFloats(random, kColumns).data(),
                                                       kColumns, x.data() + token * x_row_bytes);
  }
  std::vector<float> y(kTokens * kRows);
  MatMulArgs args{weights.data(), row_bytes,   0, kRows,    kColumns,
                  x.data(),       x_row_bytes, 1, y.data(), kRows};

  std::size_t matrix = 0;
  const double from_memory = Fastest([&] {
    args.weights = weights.data() + matrix++ % matrix_count * matrix_bytes;
    mat_mul(args);
  });
  args.row_end = kCachedRows;
  const double from_cache = Fastest([&] { mat_mul(args); });
  args.token_count = kTokens;
  const double four_tokens = Fastest([&] { mat_mul(args); });
  std::printf("%-7s %-7s %8.1f %8.1f %10.1f\n", table.name, std::string(traits.name).c_str(),
              static_cast<double>(matrix_bytes) / from_memory * 1e-9,
              static_cast<double>(kCachedRows * row_bytes) / from_cache * 1e-9,
              static_cast<double>(kCachedRows * kColumns * kTokens) / four_tokens * 1e-9);
  std::fflush(stdout);
}

int Run(std::string_view kernels) {
  std::printf("%-7s %-7s %8s %8s %10s\n", "kernels", "type", "GB/s", "cached", "GMAC/s, 4");
  bool found = false;
  for (const KernelTable* table : AvailableKernels()) {
    if (!kernels.empty() && kernels != table->name) continue;
    found = true;
    for (std::uint32_t number = 0; number < kTensorTypeCount; ++number) {
      const TensorTypeTraits* traits = FindTensorType(number);
      if (traits != nullptr && traits->computable) Measure(*table, *traits);
    }
  }
  return found ? 0 : 1;
}

}  // namespace
}  // namespace edgemoe

int main(int argc, char** argv) { return edgemoe::Run(argc > 1 ? argv[1] : ""); }
