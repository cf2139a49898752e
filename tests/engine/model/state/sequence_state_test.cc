// SPDX-License-Identifier: Apache-2.0
#include "engine/model/state/sequence_state.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace edgemoe {
namespace {

constexpr std::uint32_t kBlock = kStateBlockTokens;

// Layer 0 looks back at all, layer 1 at 40 positions, layer 2 has recurrent state only, layer 3
// looks back at all and keeps less.
StateShape MixedShape() {
  return {.layers = {LayerState{.group = 0, .key_size = 8, .value_size = 4, .values = 8 * kBlock},
                     LayerState{.group = 1, .key_size = 2, .value_size = 2, .values = 2 * kBlock},
                     LayerState{.recurrent = 0, .recurrent_size = 5},
                     LayerState{.group = 0, .key_size = 2, .keys = 12 * kBlock}},
          .groups = {{.window = 0, .block_elements = 14 * kBlock},
                     {.window = 40, .block_elements = 4 * kBlock}},
          .recurrent_floats = 5};
}

StateLimits Limits(std::uint64_t tokens, std::uint32_t sequences = 2) {
  return {.token_capacity = tokens,
          .sequences_max = sequences,
          .context_tokens = 10 * kBlock,
          .rows_max = 16};
}

// Writes of each position and layer what nobody else writes.
void Fill(SequenceState& sequence, const StateShape& shape, std::uint32_t begin,
          std::uint32_t end) {
  for (std::uint32_t i = 0; i < shape.layers.size(); ++i) {
    const LayerState& layer = shape.layers[i];
    for (std::uint32_t p = begin; p < end; ++p) {
      std::fill_n(sequence.Keys(LayerIndex{i}, p), layer.key_size, p * 8 + i * 2);
      std::fill_n(sequence.Values(LayerIndex{i}, p), layer.value_size, p * 8 + i * 2 + 1);
    }
    for (std::uint64_t f = 0; f < layer.recurrent_size; ++f)
      sequence.Recurrent(LayerIndex{i})[f] = static_cast<float>(end + f);
  }
}

void ExpectFilled(const SequenceState& sequence, const StateShape& shape, std::uint32_t end) {
  for (std::uint32_t i = 0; i < shape.layers.size(); ++i) {
    const LayerState& layer = shape.layers[i];
    const std::uint32_t window = shape.groups[layer.group].window;
    const std::uint32_t begin = window == 0 || end < window ? 0 : end - window + 1;
    for (std::uint32_t p = begin; p < end; ++p) {
      for (std::uint32_t e = 0; e < layer.key_size; ++e)
        ASSERT_EQ(sequence.Keys(LayerIndex{i}, p)[e], p * 8 + i * 2) << i << " " << p;
      for (std::uint32_t e = 0; e < layer.value_size; ++e)
        ASSERT_EQ(sequence.Values(LayerIndex{i}, p)[e], p * 8 + i * 2 + 1) << i << " " << p;
    }
    for (std::uint64_t f = 0; f < layer.recurrent_size; ++f)
      ASSERT_EQ(sequence.Recurrent(LayerIndex{i})[f], static_cast<float>(end + f));
  }
}

// In steps of at most 16 rows, as the limits say.
Status RunTo(SequenceState& sequence, const StateShape& shape, std::uint32_t begin,
             std::uint32_t end) {
  for (std::uint32_t p = begin; p < end;) {
    const std::uint32_t next = std::min(end, p + 16);
    EDGEMOE_RETURN_IF_ERROR(sequence.Prepare(p, next));
    Fill(sequence, shape, p, next);
    p = next;
  }
  return OkStatus();
}

TEST(StatePool, BytesAreThoseOfAllBlocksAndPlaces) {
  const StateShape shape = MixedShape();
  // 40 + 16 - 1 positions lie in at most 3 blocks.
  EXPECT_EQ(StatePool::Bytes(shape, Limits(33)),
            2 * 14 * kBlock * 2 + 2 * 3 * 4 * kBlock * 2 + 2 * 5 * sizeof(float));
  const auto pool = StatePool::Create(shape, Limits(33));
  ASSERT_TRUE(pool);
  EXPECT_EQ(pool->block_count(), 2U + 6 + 2);
  EXPECT_EQ(pool->free_block_count(), pool->block_count());
}

TEST(StatePool, RefusesNothingAndTooMuch) {
  const auto code = [](const StateLimits& limits) {
    return StatePool::Create(MixedShape(), limits).error().code();
  };
  EXPECT_EQ(code(Limits(0)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Limits(UINT64_MAX)), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Limits(64, 0)), StatusCode::kInvalidArgument);
  StateLimits limits = Limits(64);
  limits.context_tokens = 0;
  EXPECT_EQ(code(limits), StatusCode::kInvalidArgument);
  StateShape huge;
  huge.groups = {{.window = 0, .block_elements = UINT64_MAX / 8}};
  EXPECT_EQ(StatePool::Create(huge, Limits(64)).error().code(), StatusCode::kInvalidArgument);
}

TEST(SequenceState, TakesBlocksAsItGrowsAndGivesThemBack) {
  auto pool = StatePool::Create(MixedShape(), Limits(4 * kBlock));
  ASSERT_TRUE(pool);
  {
    SequenceState a(*pool);
    EXPECT_EQ(a.block_count(), 0U);
    EXPECT_FALSE(a.Has(0));
    ASSERT_TRUE(a.Prepare(0, 1).ok());
    EXPECT_EQ(a.block_count(), 3U) << "one of each group and a place";
    EXPECT_TRUE(a.Has(kBlock - 1));
    EXPECT_FALSE(a.Has(kBlock));
    ASSERT_TRUE(a.Prepare(1, kBlock + 1).ok());
    EXPECT_EQ(a.block_count(), 5U);

    SequenceState b(*pool);
    const Status full = b.Prepare(0, 3 * kBlock);
    EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
    EXPECT_EQ(full.message(), "sequence state: found 2 free blocks of 32 tokens, needed 3");
    EXPECT_EQ(b.block_count(), 0U);
    ASSERT_TRUE(b.Reserve(2 * kBlock).ok());
    EXPECT_EQ(b.block_count(), 3U) << "nothing for windows yet";

    SequenceState c(*pool);
    EXPECT_EQ(c.Reserve(1).code(), StatusCode::kResourceExhausted) << "the third of two sequences";
    EXPECT_EQ(c.block_count(), 0U);
    const SequenceState moved(std::move(a));
    EXPECT_EQ(moved.block_count(), 5U);
  }
  EXPECT_EQ(pool->free_block_count(), pool->block_count());
}

TEST(SequenceState, WindowsLeaveWhatNobodySees) {
  const StateShape shape = MixedShape();
  auto pool = StatePool::Create(shape, Limits(10 * kBlock));
  ASSERT_TRUE(pool);
  SequenceState sequence(*pool);
  SequenceState other(*pool);
  // Both as long as can be: the window's blocks suffice because they are given back.
  for (std::uint32_t p = 0; p < 5 * kBlock; p += 7) {
    const std::uint32_t end = std::min(5 * kBlock, p + 7);
    ASSERT_TRUE(sequence.Prepare(p, end).ok()) << p;
    ASSERT_TRUE(other.Prepare(p, end).ok()) << p;
    Fill(sequence, shape, p, end);
    std::fill_n(other.Keys(LayerIndex{1}, p), 2, std::uint16_t{7});
    ExpectFilled(sequence, shape, end);
  }
  EXPECT_LE(sequence.block_count(), 5U + 3 + 1);
  // From the beginning again.
  ASSERT_TRUE(RunTo(sequence, shape, 0, 50).ok());
  ExpectFilled(sequence, shape, 50);
}

TEST(SequenceState, RecurrentStateStartsWithZeros) {
  auto pool = StatePool::Create(MixedShape(), Limits(4 * kBlock));
  ASSERT_TRUE(pool);
  for (int i = 0; i < 3; ++i) {
    SequenceState sequence(*pool);
    ASSERT_TRUE(sequence.Prepare(0, 1).ok());
    for (int f = 0; f < 5; ++f) EXPECT_EQ(sequence.Recurrent(LayerIndex{2})[f], 0.0F);
    std::fill_n(sequence.Recurrent(LayerIndex{2}), 5, 1.5F);
    ASSERT_TRUE(sequence.Prepare(1, 2).ok());
    EXPECT_EQ(sequence.Recurrent(LayerIndex{2})[0], 1.5F);
    ASSERT_TRUE(sequence.Prepare(0, 1).ok());
    EXPECT_EQ(sequence.Recurrent(LayerIndex{2})[0], 0.0F);
  }
}

TEST(SequenceState, ASnapshotIsAllThatFollowsDependsOn) {
  const StateShape shape = MixedShape();
  auto pool = StatePool::Create(shape, Limits(10 * kBlock));
  ASSERT_TRUE(pool);
  // In the first block, at borders of blocks, in the middle, beyond the window.
  for (const std::uint32_t position : {0U, 1U, 31U, 32U, 39U, 40U, 41U, 64U, 100U, 128U}) {
    SequenceState sequence(*pool);
    ASSERT_TRUE(RunTo(sequence, shape, 0, position).ok());
    std::vector<std::byte> snapshot(SequenceState::SnapshotBytes(shape, position));
    if (position > 0) sequence.Snapshot(position, snapshot);
    SequenceState other(*pool);
    ASSERT_TRUE(RunTo(other, shape, 0, 17).ok());  // something else is in it
    if (position == 0) continue;
    ASSERT_TRUE(other.Restore(position, snapshot).ok());
    ExpectFilled(other, shape, position);
    ASSERT_TRUE(RunTo(other, shape, position, position + 20).ok());
    ExpectFilled(other, shape, position + 20);
    ExpectFilled(sequence, shape, position);
  }
}

TEST(SequenceState, ASnapshotThatFindsNoRoomLeavesAnEmptySequence) {
  const StateShape shape = MixedShape();
  auto pool = StatePool::Create(shape, Limits(3 * kBlock));
  ASSERT_TRUE(pool);
  SequenceState sequence(*pool);
  ASSERT_TRUE(RunTo(sequence, shape, 0, 64).ok());
  std::vector<std::byte> snapshot(SequenceState::SnapshotBytes(shape, 64));
  sequence.Snapshot(64, snapshot);
  SequenceState other(*pool);
  EXPECT_EQ(other.Restore(64, snapshot).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(other.block_count(), 0U);
  ASSERT_TRUE(RunTo(sequence, shape, 64, 70).ok());
  ExpectFilled(sequence, shape, 70);
}

}  // namespace
}  // namespace edgemoe
