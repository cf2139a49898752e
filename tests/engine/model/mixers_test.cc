// SPDX-License-Identifier: Apache-2.0
//
// Whatever a model's layers keep of a sequence: a row's logits are the same to the bit however its
// tokens were cut into steps, whatever threads and other sequences do, and behind a snapshot.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/golden/fixtures.h"
#include "tests/support/models/loaded_model.h"

namespace edgemoe {
namespace {

constexpr std::uint32_t kTokens = 45;  // more than a block of keys and values

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

std::vector<TokenId> RandomTokens(std::uint64_t seed) {
  Random random(seed);
  std::vector<TokenId> tokens(kTokens);
  for (TokenId& token : tokens)
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  return tokens;
}

class MixersTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<LoadedModel> Load(const LoadedModel::Options& options = {}) const {
    auto model = LoadedModel::Load(file_, options);
    EXPECT_TRUE(model) << model.error().ToString();
    return std::move(*model);
  }
  static std::vector<float> Run(LoadedModel& model, SequenceState& sequence, std::uint32_t begin,
                                std::span<const TokenId> tokens) {
    auto logits = model.Run(sequence, begin, tokens);
    EXPECT_TRUE(logits) << logits.error().ToString();
    return *logits;
  }
  static std::vector<float> RunWhole(LoadedModel& model, std::span<const TokenId> tokens) {
    SequenceState sequence(model.state());
    return Run(model, sequence, 0, tokens);
  }

  const std::vector<std::byte> file_ = RandomModelBytes(FindFixture(GetParam())->model);
  const std::vector<TokenId> tokens_ = RandomTokens(7);
};

TEST_P(MixersTest, StepsOfAnyLengthGiveTheSameBits) {
  const std::vector<float> whole = RunWhole(*Load(), tokens_);
  for (const std::uint32_t chunk : {1U, 2U, 7U, 32U})
    EXPECT_TRUE(SameBits(whole, RunWhole(*Load({.rows_max = chunk}), tokens_))) << chunk;
}

TEST_P(MixersTest, ThreadsGiveTheSameBits) {
  const std::vector<float> whole = RunWhole(*Load(), tokens_);
  for (const std::size_t threads : {2U, 5U})
    EXPECT_TRUE(SameBits(whole, RunWhole(*Load({.thread_count = threads}), tokens_))) << threads;
}

TEST_P(MixersTest, OtherSequencesGiveTheSameBits) {
  const auto model = Load({.thread_count = 2});
  const std::vector<TokenId> others = RandomTokens(8);
  const std::vector<float> expected = RunWhole(*model, tokens_);
  const std::vector<float> expected_others = RunWhole(*model, others);
  // The first decodes token by token while the second's prompt comes in chunks of five.
  SequenceState first(model->state());
  SequenceState second(model->state());
  for (std::uint32_t step = 0; step < kTokens / 5; ++step) {
    ASSERT_TRUE(first.Prepare(step, step + 1).ok());
    ASSERT_TRUE(second.Prepare(step * 5, step * 5 + 5).ok());
    std::vector<BatchRow> rows = {{&first, step, tokens_[step], true, nullptr}};
    for (std::uint32_t p = step * 5; p < step * 5 + 5; ++p)
      rows.push_back({&second, p, others[p], true, nullptr});
    if (step % 2 == 1) std::rotate(rows.begin(), rows.begin() + 1, rows.end());
    std::vector<RowResult> results(rows.size());
    model->forward().Run(rows, results);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_TRUE(results[i].status.ok());
      const std::vector<float>& from = rows[i].sequence == &first ? expected : expected_others;
      const auto row =
          std::span(from).subspan(rows[i].position * kTinyVocabularySize, kTinyVocabularySize);
      EXPECT_TRUE(SameBits(row, {results[i].logits, kTinyVocabularySize})) << step << ", " << i;
    }
  }
}

TEST_P(MixersTest, ASequenceGoesOnBehindASnapshot) {
  const auto model = Load();
  const std::vector<float> whole = RunWhole(*model, tokens_);
  for (const std::uint32_t position : {1U, 2U, 31U, 32U, 40U}) {
    SequenceState sequence(model->state());
    Run(*model, sequence, 0, std::span(tokens_).first(position));
    std::vector<std::byte> snapshot(SequenceState::SnapshotBytes(model->state().shape(), position));
    sequence.Snapshot(position, snapshot);
    // Another run of the program, and something else is in the sequence.
    const auto other_model = Load();
    SequenceState other(other_model->state());
    Run(*other_model, other, 0, RandomTokens(9));
    ASSERT_TRUE(other.Restore(position, snapshot).ok());
    const auto rest = std::span(tokens_).subspan(position);
    const auto expected = std::span(whole).subspan(position * kTinyVocabularySize);
    EXPECT_TRUE(SameBits(expected, Run(*other_model, other, position, rest))) << position;
    EXPECT_TRUE(SameBits(expected, Run(*model, sequence, position, rest))) << position;
  }
}

// A sequence that starts anew remembers nothing.
TEST_P(MixersTest, ASequenceStartsAnew) {
  const auto model = Load();
  const std::vector<float> whole = RunWhole(*model, tokens_);
  SequenceState sequence(model->state());
  Run(*model, sequence, 0, RandomTokens(10));
  EXPECT_TRUE(SameBits(whole, Run(*model, sequence, 0, tokens_)));
}

// At least one of each kind of layer, with weights in floats and in blocks.
INSTANTIATE_TEST_SUITE_P(
    Fixtures, MixersTest,
    testing::Values("qwen3moe", "olmoe-Q8_0", "gpt-oss", "lfm2moe-Q8_0", "lfm2", "granitemoe",
                    "granitehybrid-Q8_0", "granitehybrid-dense", "qwen35moe-Q8_0",
                    "qwen3next-grouped-Q8_0", "deepseek2-Q8_0", "deepseek2-sigmoid",
                    "deepseek2-joined", "qwen2moe-Q8_0", "qwen3", "llama", "llama-moe-Q8_0",
                    "minicpm", "gemma4-Q8_0", "gemma4-wide", "gemma4-dense", "gemma3-Q8_0"),
    [](const auto& of) {
      std::string name = of.param;
      std::ranges::replace(name, '-', '_');
      return name;
    });

}  // namespace
}  // namespace edgemoe
