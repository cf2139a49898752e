// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/compute_probe.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/system/processor.h"
#include "engine/kernels/dispatch.h"
#include "engine/speed/compute_store.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

TEST(ComputeProbeTest, MeasuresWhatIsAskedFor) {
  const SteadyClock clock;
  ComputePool pool(2);
  const std::array types = {TensorType::kQ8_0, TensorType::kF16, TensorType::kQ8_0,
                            TensorType::kI32};
  const KernelTable& kernels = *AvailableKernels().front();
  const auto probe = MeasureCompute(kernels, pool, types, clock, {.type_ns = 1});
  ASSERT_TRUE(probe) << probe.error().message();
  EXPECT_EQ(probe->key, (ComputeKey{ProcessorName(), kernels.name, 2}));
  EXPECT_GT(probe->read_bytes_per_second, 0);
  EXPECT_GT(probe->loop_seconds, 0);
  EXPECT_GT(probe->cache_bytes, 0u);
  ASSERT_EQ(probe->rates.size(), 2u) << "each type once, and no type that is not computed with";
  for (const TensorType type : {TensorType::kQ8_0, TensorType::kF16}) {
    ASSERT_NE(probe->RateOf(type), nullptr);
    EXPECT_GT(probe->RateOf(type)->memory_bytes_per_second, 0);
    EXPECT_GT(probe->RateOf(type)->cache_bytes_per_second, 0);
  }
  EXPECT_EQ(probe->RateOf(TensorType::kQ4_K), nullptr);
}

class ComputeStoreTest : public testing::Test {
 protected:
  void Spoil(const std::string& text) { std::ofstream(path_, std::ios::trunc) << text; }
  std::string Content() {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  const TempFolder folder_;
  const ComputeKey key_{.processor = "a processor", .kernels = "avx2", .threads = 4};
  const std::string path_ = ComputeStorePath(folder_ / "state", key_);
  const ComputeProbe probe_{
      .key = key_,
      .read_bytes_per_second = 25e9,
      .loop_seconds = 1.5e-6,
      .cache_bytes = 8 << 20,
      .rates = {{TensorType::kQ4_K, 17e9, 22e9}, {TensorType::kMXFP4, 10e9, 13e9}}};
};

TEST_F(ComputeStoreTest, WhatWasWrittenIsRead) {
  EXPECT_FALSE(ReadComputeProbe(path_, key_));
  ASSERT_TRUE(WriteComputeProbe(path_, probe_).ok());
  ASSERT_TRUE(WriteComputeProbe(path_, probe_).ok()) << "a second time";
  const auto read = ReadComputeProbe(path_, key_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, key_);
  EXPECT_EQ(read->read_bytes_per_second, 25e9);
  EXPECT_EQ(read->loop_seconds, 1.5e-6);
  EXPECT_EQ(read->cache_bytes, 8u << 20);
  ASSERT_EQ(read->rates.size(), 2u);
  EXPECT_EQ(read->RateOf(TensorType::kMXFP4)->cache_bytes_per_second, 13e9);
}

TEST_F(ComputeStoreTest, ASpoiltOrForeignFileIsIgnored) {
  ASSERT_TRUE(WriteComputeProbe(path_, probe_).ok());
  const std::string good = Content();
  for (std::size_t length = 0; length + 2 < good.size(); length += 7) {
    Spoil(good.substr(0, length));
    EXPECT_FALSE(ReadComputeProbe(path_, key_)) << length;
  }
  const auto with = [&good](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {with("\"version\": " + std::to_string(kComputeProbeVersion), "\"version\": 0"),
        with("a processor", "another"), with("avx2", "neon"),
        with("\"threads\": 4", "\"threads\": 5"), with("Q4_K", "Q4_KX"),
        with("17000000000.0", "-1"), with("17000000000.0", "0"), with("17000000000.0", "null"),
        with("25000000000.0", "\"fast\""), with("\"rates\": [", "\"other\": ["), std::string("[]"),
        std::string("null"), std::string(100'000, '[')}) {
    Spoil(text);
    EXPECT_FALSE(ReadComputeProbe(path_, key_)) << text.substr(0, 300);
  }
  Spoil(good);
  EXPECT_TRUE(ReadComputeProbe(path_, key_));
}

TEST_F(ComputeStoreTest, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(folder_ / "file") << "x";
  const Status status = WriteComputeProbe(folder_ / "file/state/probe.json", probe_);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(folder_ / "file"), std::string::npos);
}

}  // namespace
}  // namespace edgemoe
