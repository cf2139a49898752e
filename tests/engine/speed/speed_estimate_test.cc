// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/speed_estimate.h"

#include <gtest/gtest.h>

namespace edgemoe {
namespace {

// 10 layers of 100 experts of 1 MB, 4 of them used; a machine that takes 1 ms for an expert.
class SpeedEstimateTest : public testing::Test {
 protected:
  static StorageSpeed Storage(double bytes_per_second) {
    return StorageSpeed({{1e6, 1, bytes_per_second}});
  }

  SpeedInput Input(double resident_share, double storage_bytes_per_second = 1e8) const {
    SpeedInput input;
    input.demand = {.dense = {{TensorType::kF16, 10e6}},
                    .experts = {{TensorType::kQ8_0, 40e6}},
                    .dense_memory_bytes = 1'000'000'000,
                    .expert_total_bytes = 1'000'000'000,
                    .layer_count = 10,
                    .expert_layer_count = 10,
                    .experts_used = 4,
                    .expert_read_bytes = 1e6,
                    .expert_read_count = 1};
    input.compute.loop_seconds = 1e-9;
    input.compute.rates = {{TensorType::kF16, 1e9, 1e9}, {TensorType::kQ8_0, 1e9, 1e9}};
    input.resident_share = resident_share;
    if (storage_bytes_per_second > 0) input.storage = Storage(storage_bytes_per_second);
    return input;
  }
};

TEST_F(SpeedEstimateTest, AllInMemoryIsComputingAlone) {
  const SpeedEstimate estimate = EstimateSpeed(Input(1, 0));
  EXPECT_NEAR(estimate.compute_seconds, 0.05, 1e-6);
  EXPECT_NEAR(estimate.tokens_per_second, 20, 1e-3);
  EXPECT_EQ(estimate.hit_rate, 1);
  EXPECT_EQ(estimate.read_bytes_per_token, 0);
  EXPECT_EQ(estimate.storage_seconds, 0);
  EXPECT_FALSE(estimate.storage_bound);
}

TEST_F(SpeedEstimateTest, NothingInMemoryReadsEveryExpert) {
  const SpeedEstimate estimate = EstimateSpeed(Input(0));
  EXPECT_EQ(estimate.hit_rate, 0);
  EXPECT_NEAR(estimate.read_bytes_per_token, 40e6, 1);
  EXPECT_NEAR(estimate.storage_seconds, 0.4, 1e-9);
  EXPECT_TRUE(estimate.storage_bound);
  EXPECT_NEAR(1 / estimate.tokens_per_second, 0.05 + 0.4, 1e-6);
}

TEST_F(SpeedEstimateTest, GrowsWithTheShareInMemory) {
  double before = 0;
  double read_before = 1e18;
  for (int percent = 0; percent <= 100; percent += 5) {
    const SpeedEstimate estimate = EstimateSpeed(Input(percent / 100.0));
    EXPECT_GT(estimate.tokens_per_second, before) << percent;
    EXPECT_LT(estimate.read_bytes_per_token, read_before) << percent;
    EXPECT_GE(estimate.hit_rate, percent / 100.0);
    EXPECT_LE(estimate.hit_rate, 1);
    before = estimate.tokens_per_second;
    read_before = estimate.read_bytes_per_token;
  }
}

TEST_F(SpeedEstimateTest, AModelThatIsKnownReadsWhatItDid) {
  SpeedInput input = Input(0.25);
  const double unknown = EstimateSpeed(input).tokens_per_second;
  const std::optional<double> exponent = MissExponentOf(0.25, 0.8);
  ASSERT_TRUE(exponent);
  input.miss_exponent = *exponent;
  EXPECT_NEAR(EstimateSpeed(input).hit_rate, 0.8, 1e-9);
  EXPECT_GT(EstimateSpeed(input).tokens_per_second, unknown);
  EXPECT_FALSE(MissExponentOf(1, 1));
  EXPECT_FALSE(MissExponentOf(0, 0));
  EXPECT_EQ(MissExponentOf(0.5, 1), kMissExponentMax);
  EXPECT_EQ(MissExponentOf(0.5, 0), kMissExponentMin);
}

TEST_F(SpeedEstimateTest, GrowsWithStorageUntilComputingBounds) {
  double before = 0;
  for (double rate = 1e6; rate < 1e11; rate *= 2) {
    const double speed = EstimateSpeed(Input(0.5, rate)).tokens_per_second;
    EXPECT_GE(speed, before) << rate;
    EXPECT_LE(speed, EstimateSpeed(Input(1)).tokens_per_second);
    before = speed;
  }
  EXPECT_FALSE(EstimateSpeed(Input(0.5, 1e11)).storage_bound);
  EXPECT_TRUE(EstimateSpeed(Input(0.5, 1e6)).storage_bound);
}

TEST_F(SpeedEstimateTest, GrowsWithEachRateOfComputing) {
  SpeedInput input = Input(0.5);
  const double before = EstimateSpeed(input).tokens_per_second;
  for (ComputeRate& rate : input.compute.rates) {
    const ComputeRate slow = rate;
    rate.memory_bytes_per_second *= 2;
    EXPECT_GT(EstimateSpeed(input).tokens_per_second, before);
    rate = slow;
  }
  input.compute.loop_seconds = 1e-4;
  EXPECT_LT(EstimateSpeed(input).tokens_per_second, before);
}

TEST_F(SpeedEstimateTest, WeightsThatACacheHoldsTakeLess) {
  SpeedInput input = Input(1);
  for (ComputeRate& rate : input.compute.rates) rate.cache_bytes_per_second = 4e9;
  EXPECT_NEAR(EstimateSpeed(input).tokens_per_second, 20, 1e-3) << "no cache";
  input.compute.cache_bytes = 1'000'000'000;  // half of the weights
  EXPECT_NEAR(EstimateSpeed(input).compute_seconds, 0.5 * 0.05 + 0.5 * 0.0125, 1e-6);
  input.compute.cache_bytes = 4'000'000'000;
  EXPECT_NEAR(EstimateSpeed(input).compute_seconds, 0.0125, 1e-6);
}

TEST_F(SpeedEstimateTest, LongRunsAreSplitIntoReads) {
  SpeedInput input = Input(0);
  input.demand.expert_read_bytes = 4e6;
  input.storage = StorageSpeed({{1e6, 1, 1e8}, {1e6, 64, 64e8}});
  input.request_bytes = 8e6;
  const double whole = EstimateSpeed(input).storage_seconds;
  input.request_bytes = 1e6;
  EXPECT_LT(EstimateSpeed(input).storage_seconds, whole) << "more reads at once";
}

TEST_F(SpeedEstimateTest, ReadsCostTheProcessor) {
  SpeedInput input = Input(0);
  const SpeedEstimate before = EstimateSpeed(input);
  input.read_cpu_seconds_per_byte = 1e-9;
  const SpeedEstimate estimate = EstimateSpeed(input);
  EXPECT_NEAR(estimate.compute_seconds, before.compute_seconds + 0.04, 1e-9);
  EXPECT_NEAR(1 / estimate.tokens_per_second, 1 / before.tokens_per_second + 0.04, 1e-9);
}

TEST_F(SpeedEstimateTest, AModelWithoutExpertsIsComputingAlone) {
  SpeedInput input = Input(1, 0);
  input.demand.experts.clear();
  input.demand.expert_layer_count = 0;
  input.demand.experts_used = 0;
  input.demand.expert_total_bytes = 0;
  EXPECT_NEAR(EstimateSpeed(input).tokens_per_second, 100, 1e-2);
}

}  // namespace
}  // namespace edgemoe
