// SPDX-License-Identifier: Apache-2.0
//
// A row's logits are the same to the bit, whatever else is in the batch, and whatever threads and
// storage do; rows that are cancelled or whose experts are lost end alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/support/models/loaded_model.h"
#include "tests/support/models/tiny_model.h"

namespace edgemoe {
namespace {

constexpr std::size_t kTokens = 45;  // more than a KV block

std::vector<TokenId> RandomTokens(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) {
    token.value = static_cast<std::int32_t>(random.NextBelow(kTinyVocabularySize));
  }
  return tokens;
}

// Mixed types, so that every path of encoding and gathering runs.
TinyModelOptions MixedModel() {
  TinyModelOptions options;
  options.width = 256;
  options.expert_width = 256;
  options.gate_type = TensorType::kQ4_K;
  options.up_type = TensorType::kQ8_0;
  options.down_type = TensorType::kQ6_K;
  return options;
}

class ForwardBatch : public testing::Test {
 protected:
  static void SetUpTestSuite() { file_ = new std::vector<std::byte>(TinyModelBytes(MixedModel())); }
  static void TearDownTestSuite() { delete file_; }

  static std::unique_ptr<LoadedModel> Load(LoadedModel::Options options = {}) {
    auto model = LoadedModel::Load(*file_, options);
    EXPECT_TRUE(model) << model.error().ToString();
    return std::move(*model);
  }
  static std::vector<float> RunWhole(LoadedModel& model, std::span<const TokenId> tokens) {
    SequenceState sequence(model.state());
    auto logits = model.Run(sequence, 0, tokens);
    EXPECT_TRUE(logits) << logits.error().ToString();
    return *logits;
  }

  static std::vector<std::byte>* file_;
  const std::vector<TokenId> tokens_ = RandomTokens(kTokens, 7);
};
std::vector<std::byte>* ForwardBatch::file_ = nullptr;

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST_F(ForwardBatch, ChunksOfAnySizeGiveTheSameBits) {
  const std::vector<float> whole = RunWhole(*Load(), tokens_);
  ASSERT_EQ(whole.size(), kTokens * kTinyVocabularySize);
  for (const std::uint32_t chunk : {1U, 2U, 7U, 32U}) {
    EXPECT_TRUE(SameBits(whole, RunWhole(*Load({.rows_max = chunk}), tokens_))) << chunk;
  }
}

TEST_F(ForwardBatch, ThreadsGiveTheSameBits) {
  const std::vector<float> whole = RunWhole(*Load(), tokens_);
  for (const std::size_t threads : {2U, 3U, 7U}) {
    EXPECT_TRUE(SameBits(whole, RunWhole(*Load({.thread_count = threads}), tokens_))) << threads;
  }
}

TEST_F(ForwardBatch, OrderOfExpertsGivesTheSameBits) {
  const std::vector<float> whole = RunWhole(*Load(), tokens_);
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const std::size_t wave_max : {1U, 3U, 8U}) {
      auto model = Load({.thread_count = 2});
      model->experts().Shuffle(seed, wave_max);
      EXPECT_TRUE(SameBits(whole, RunWhole(*model, tokens_))) << seed << ", " << wave_max;
    }
  }
}

TEST_F(ForwardBatch, OtherSequencesGiveTheSameBits) {
  auto model = Load({.thread_count = 2});
  const std::vector<TokenId> others = RandomTokens(kTokens, 8);
  const std::vector<float> expected = RunWhole(*model, tokens_);
  const std::vector<float> expected_others = RunWhole(*model, others);

  // The first decodes token by token while the second's prompt comes in chunks of five.
  SequenceState first(model->state());
  SequenceState second(model->state());
  ASSERT_TRUE(first.Prepare(0, kTokens).ok());
  ASSERT_TRUE(second.Prepare(0, kTokens).ok());
  for (std::uint32_t step = 0; step < 9; ++step) {
    std::vector<BatchRow> rows = {{&first, step, tokens_[step], true, nullptr}};
    for (std::uint32_t p = step * 5; p < step * 5 + 5; ++p) {
      rows.push_back({&second, p, others[p], p % 2 == 0, nullptr});
    }
    if (step % 2 == 1) std::rotate(rows.begin(), rows.begin() + 1, rows.end());
    std::vector<RowResult> results(rows.size());
    model->forward().Run(rows, results);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_TRUE(results[i].status.ok());
      ASSERT_EQ(results[i].logits != nullptr, rows[i].wants_logits);
      if (!rows[i].wants_logits) continue;
      const std::vector<float>& from = rows[i].sequence == &first ? expected : expected_others;
      const auto row =
          std::span(from).subspan(rows[i].position * kTinyVocabularySize, kTinyVocabularySize);
      EXPECT_TRUE(SameBits(row, {results[i].logits, kTinyVocabularySize})) << step << ", " << i;
    }
  }
}

TEST_F(ForwardBatch, CancelledRowsEndAlone) {
  auto model = Load();
  const std::vector<float> expected = RunWhole(*model, tokens_);
  const std::atomic<bool> cancelled = true;
  const std::atomic<bool> running = false;
  SequenceState first(model->state());
  SequenceState second(model->state());
  ASSERT_TRUE(first.Prepare(0, 2).ok());
  ASSERT_TRUE(second.Prepare(0, 2).ok());
  const std::vector<BatchRow> rows = {{&second, 0, tokens_[3], true, &cancelled},
                                      {&second, 1, tokens_[4], true, &cancelled},
                                      {&first, 0, tokens_[0], true, &running},
                                      {&first, 1, tokens_[1], true, nullptr}};
  std::vector<RowResult> results(rows.size());
  model->forward().Run(rows, results);
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(results[i].status.code(), StatusCode::kCancelled);
    EXPECT_EQ(results[i].logits, nullptr);
    EXPECT_EQ(results[i].io.experts_used, 0U);
  }
  for (const std::size_t i : {2U, 3U}) {
    ASSERT_TRUE(results[i].status.ok());
    EXPECT_TRUE(
        SameBits(std::span(expected).subspan((i - 2) * kTinyVocabularySize, kTinyVocabularySize),
                 {results[i].logits, kTinyVocabularySize}));
  }
}

TEST_F(ForwardBatch, CancelledByAllTouchesNoExpert) {
  auto model = Load();
  const std::atomic<bool> cancelled = true;
  SequenceState sequence(model->state());
  ASSERT_TRUE(sequence.Prepare(0, 1).ok());
  const BatchRow row = {&sequence, 0, tokens_[0], true, &cancelled};
  RowResult result;
  model->forward().Run({&row, 1}, {&result, 1});
  EXPECT_EQ(result.status.code(), StatusCode::kCancelled);
  EXPECT_EQ(model->experts().begin_count(), 0U);
}

// Runs the first token of four sequences with one expert of layer 1 lost: those that want it fail,
// and the others' logits stay.
TEST_F(ForwardBatch, LostExpertsFailTheRowsThatWantThem) {
  int failed = 0;
  int fine = 0;
  for (std::uint32_t lost = 0; lost < 8; ++lost) {
    auto model = Load({.thread_count = 2});
    std::vector<std::vector<float>> expected;
    for (std::size_t i = 0; i < 4; ++i) {
      expected.push_back(RunWhole(*model, std::span(tokens_).subspan(i, 1)));
    }
    model->experts().Fail({ExpertLayerIndex{1}, ExpertIndex{lost}});
    std::vector<SequenceState> sequences;
    for (std::size_t i = 0; i < 4; ++i) {
      sequences.emplace_back(model->state());
      ASSERT_TRUE(sequences.back().Prepare(0, 1).ok());
    }
    std::vector<BatchRow> rows;
    for (std::size_t i = 0; i < 4; ++i)
      rows.push_back({&sequences[i], 0, tokens_[i], true, nullptr});
    std::vector<RowResult> results(rows.size());
    model->forward().Run(rows, results);
    for (std::size_t i = 0; i < 4; ++i) {
      if (results[i].status.ok()) {
        ++fine;
        EXPECT_TRUE(SameBits(expected[i], {results[i].logits, kTinyVocabularySize}));
        continue;
      }
      ++failed;
      EXPECT_EQ(results[i].status.code(), StatusCode::kDataLoss);
      EXPECT_THAT(results[i].status.message(),
                  testing::HasSubstr("expert " + std::to_string(lost) + " of layer 1"));
      EXPECT_EQ(results[i].logits, nullptr);
    }
    // The disk has come back, and so does the model.
    model->experts().Heal();
    EXPECT_TRUE(SameBits(expected[0], RunWhole(*model, std::span(tokens_).first(1))));
  }
  EXPECT_EQ(failed, 4 * 2);  // each row wants two of the eight
  EXPECT_EQ(fine, 4 * 6);
}

// A later row of the sequence would attend to a key that was never written.
TEST_F(ForwardBatch, LaterRowsOfTheSequenceFailToo) {
  auto model = Load();
  bool seen = false;
  for (std::uint32_t lost = 0; lost < 8; ++lost) {
    model->experts().Heal();
    model->experts().Fail({ExpertLayerIndex{0}, ExpertIndex{lost}});
    SequenceState sequence(model->state());
    ASSERT_TRUE(sequence.Prepare(0, 6).ok());
    std::vector<BatchRow> rows;
    for (std::uint32_t p = 0; p < 6; ++p) rows.push_back({&sequence, p, tokens_[p], true, nullptr});
    std::vector<RowResult> results(rows.size());
    model->forward().Run(rows, results);
    const auto first = std::ranges::find_if(results, [](const auto& r) { return !r.status.ok(); });
    EXPECT_TRUE(std::all_of(first, results.end(), [](const auto& r) { return !r.status.ok(); }));
    seen = seen || (first != results.begin() && first != results.end());
  }
  EXPECT_TRUE(seen);
}

TEST_F(ForwardBatch, ChargesEachRowForItsExperts) {
  auto model = Load();
  model->experts().SetMissing(4, 1000);  // experts 4 to 7 are read
  model->experts().Shuffle(5, 3);
  std::vector<SequenceState> sequences;
  for (std::size_t i = 0; i < 6; ++i) {
    sequences.emplace_back(model->state());
    ASSERT_TRUE(sequences.back().Prepare(0, 1).ok());
  }
  std::vector<BatchRow> rows;
  for (std::size_t i = 0; i < 6; ++i)
    rows.push_back({&sequences[i], 0, tokens_[i], false, nullptr});
  std::vector<RowResult> results(rows.size());
  model->forward().Run(rows, results);
  ExpertIoAccount sum;
  for (const RowResult& result : results) {
    EXPECT_EQ(result.io.experts_used, 2U * 2);
    EXPECT_LE(result.io.hits, result.io.experts_used);
    sum.hits += result.io.hits;
    sum.bytes_read += result.io.bytes_read;
    sum.wait_ns += result.io.wait_ns;
  }
  const ExpertIoAccount& total = model->experts().account();
  EXPECT_GE(sum.hits, total.hits);  // a shared expert hits for each row
  EXPECT_GT(total.bytes_read, 0U);
  EXPECT_EQ(sum.bytes_read, total.bytes_read);
  EXPECT_EQ(sum.wait_ns, total.wait_ns);

  // Alone, a row pays for exactly what it used.
  const ExpertIoAccount before = total;
  SequenceState alone(model->state());
  ASSERT_TRUE(alone.Prepare(0, 1).ok());
  const BatchRow row = {&alone, 0, tokens_[0], false, nullptr};
  RowResult result;
  model->forward().Run({&row, 1}, {&result, 1});
  EXPECT_EQ(result.io.hits, total.hits - before.hits);
  EXPECT_EQ(result.io.hits, results[0].io.hits);
  EXPECT_EQ(result.io.bytes_read, total.bytes_read - before.bytes_read);
}

TEST_F(ForwardBatch, NanWeightsSpoilTheirRowsOnly) {
  std::vector<std::byte> file = *file_;
  {
    const auto model = Load();
    const GgufTensor& embedding = *model->files().FindTensor("token_embd.weight");
    const std::uint16_t nan = 0x7e00;
    std::memcpy(&file[embedding.offset + 5 * (embedding.bytes / embedding.rows())], &nan, 2);
  }
  auto model = LoadedModel::Load(file, {});
  ASSERT_TRUE(model);
  SequenceState spoilt((*model)->state());
  SequenceState sound((*model)->state());
  ASSERT_TRUE(spoilt.Prepare(0, 1).ok());
  ASSERT_TRUE(sound.Prepare(0, 1).ok());
  const std::vector<BatchRow> rows = {{&spoilt, 0, TokenId{5}, true, nullptr},
                                      {&sound, 0, TokenId{6}, true, nullptr}};
  std::vector<RowResult> results(rows.size());
  (*model)->forward().Run(rows, results);
  ASSERT_TRUE(results[0].status.ok());
  EXPECT_TRUE(std::isnan(results[0].logits[7]));
  EXPECT_FALSE(std::isnan(results[1].logits[7]));
}

}  // namespace
}  // namespace edgemoe
