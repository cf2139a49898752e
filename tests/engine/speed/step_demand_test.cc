// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/step_demand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

using testing::UnorderedElementsAre;

StepDemand DemandOfTiny(const TinyModelOptions& options, std::uint32_t context_tokens) {
  const std::vector<std::byte> bytes = TinyModelBytes(options);
  const auto header = ReadModelHeader(bytes);
  EXPECT_TRUE(header) << header.error().message();
  return header ? DemandOf(*header, context_tokens) : StepDemand();
}

double BytesOf(const std::vector<TypedBytes>& list, TensorType type) {
  for (const TypedBytes& one : list)
    if (one.type == type) return one.bytes;
  return 0;
}

TEST(StepDemandTest, CountsWhatOneTokenIsMultipliedWith) {
  const TinyModelOptions options = {.layer_count = 3, .down_type = TensorType::kQ4_0};
  const StepDemand demand = DemandOfTiny(options, 10);
  EXPECT_EQ(demand.layer_count, 3u);
  EXPECT_EQ(demand.expert_layer_count, 3u);
  EXPECT_EQ(demand.experts_used, 2u);
  // Gate and up in Q8_0, of 34 bytes for 32 weights, down in Q4_0, of 18.
  const double matrix_weights = 64.0 * 64;
  EXPECT_DOUBLE_EQ(BytesOf(demand.experts, TensorType::kQ8_0),
                   3 * 2 * 2 * matrix_weights / 32 * 34);
  EXPECT_DOUBLE_EQ(BytesOf(demand.experts, TensorType::kQ4_0), 3 * 2 * matrix_weights / 32 * 18);
  EXPECT_DOUBLE_EQ(static_cast<double>(demand.expert_total_bytes),
                   3 * 8 * matrix_weights / 32 * (2 * 34 + 18));
  // Four heads of 16 look at ten positions of keys and of values.
  EXPECT_DOUBLE_EQ(BytesOf(demand.dense, TensorType::kF16), 3 * 2 * 2.0 * 4 * 16 * 10);
  EXPECT_THAT(TypesOf(demand), UnorderedElementsAre(TensorType::kQ8_0, TensorType::kQ4_0,
                                                    TensorType::kF16, TensorType::kF32));
}

TEST(StepDemandTest, AnEmbeddingCountsOnlyAsTheOutput) {
  const StepDemand tied = DemandOfTiny({.tied_output = true}, 1);
  const StepDemand two = DemandOfTiny({.tied_output = false}, 1);
  EXPECT_DOUBLE_EQ(BytesOf(tied.dense, TensorType::kQ8_0), BytesOf(two.dense, TensorType::kQ8_0));
  EXPECT_LT(tied.dense_memory_bytes, two.dense_memory_bytes);
}

TEST(StepDemandTest, AnExpertIsReadInWholeBlocks) {
  const StepDemand demand = DemandOfTiny({}, 1);
  const double expert_bytes = 3 * 64.0 * 64 / 32 * 34;
  EXPECT_GE(demand.expert_read_bytes, expert_bytes);
  EXPECT_LE(demand.expert_read_bytes, expert_bytes + 3 * 2 * 4096);
  EXPECT_GE(demand.expert_read_count, 1);
  EXPECT_LE(demand.expert_read_count, 3);
}

}  // namespace
}  // namespace edgemoe
