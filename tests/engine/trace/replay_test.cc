// SPDX-License-Identifier: Apache-2.0
//
// Replay on small traces against a naive cache, and on the recorded one against published figures.
#include "engine/trace/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "engine/base/byte_size.h"
#include "engine/base/random.h"
#include "engine/cache/edgemoe_policy.h"
#include "engine/cache/lru_policy.h"
#include "engine/cache/policy_factory.h"
#include "engine/predict/path_predictor.h"
#include "engine/predict/previous_token_predictor.h"
#include "engine/trace/belady_policy.h"
#include "engine/trace/trace_reader.h"
#include "tests/support/recorded_trace.h"

namespace edgemoe {
namespace {

RoutingTrace ReadText(const std::string& text) {
  std::istringstream input(text);
  Result<RoutingTrace> trace = ReadTrace(input, "test");
  EXPECT_TRUE(trace) << trace.error().ToString();
  return std::move(*trace);
}

// Decoded tokens of one session; layers of unequal size.
std::string RandomTrace(std::uint64_t seed, std::uint32_t layers, std::uint32_t experts,
                        std::uint32_t used, std::uint32_t tokens) {
  Random random(seed);
  std::ostringstream text;
  text << "# n_layer=" << layers << " n_expert=" << experts << " n_expert_used=" << used << "\n";
  for (std::uint32_t layer = 0; layer < layers; ++layer)
    text << "# layer=" << layer << " expert_bytes=" << 10 + layer << "\n";
  text << kTraceColumns << "\n";
  for (std::uint32_t token = 0; token < tokens; ++token) {
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      std::vector<std::uint32_t> chosen;
      while (chosen.size() < used) {
        // Low numbers more often than high ones.
        const auto expert =
            static_cast<std::uint32_t>(random.NextBelow(1 + random.NextBelow(experts)));
        if (std::find(chosen.begin(), chosen.end(), expert) == chosen.end())
          chosen.push_back(expert);
      }
      for (std::uint32_t slot = 0; slot < used; ++slot)
        text << "0,1," << token << "," << layer << "," << slot << "," << chosen[slot]
             << ",0.5,1,0\n";
    }
  }
  return text.str();
}

TEST(ReplayTest, LruAgreesWithANaiveCache) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const RoutingTrace trace = ReadText(RandomTrace(seed, 3, 8, 2, 40));
    const std::uint64_t budget = 60 + seed;
    LruPolicy policy(PolicyShapeOf(trace));
    const ReplayCounts counts = Replay(trace, policy, nullptr, budget);
    std::deque<ExpertKey> cached;  // least recent first
    std::uint64_t hits = 0;
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes = 0;
    const auto size = [&](ExpertKey key) {
      return trace.description.expert_bytes[key.layer.value];
    };
    for (const TraceBatch& batch : trace.batches) {
      for (const ExpertChoice& choice : trace.RowsOf(batch)[0].choices) {
        const ExpertKey key{batch.layer, ExpertIndex{choice.expert}};
        const auto at = std::find(cached.begin(), cached.end(), key);
        if (at != cached.end()) {
          ++hits;
          cached.erase(at);
        } else {
          bytes += size(key);
          bytes_read += size(key);
        }
        cached.push_back(key);
      }
      for (; bytes > budget; cached.pop_front()) bytes -= size(cached.front());
    }
    ASSERT_EQ(counts.decode_hits, hits) << seed;
    ASSERT_EQ(counts.decode_demand_bytes, bytes_read) << seed;
    ASSERT_EQ(counts.decode_uses, 3U * 2 * 40);
  }
}

TEST(ReplayTest, NoPolicyBeatsBeladyWhereSizesAreEqual) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    RoutingTrace trace = ReadText(RandomTrace(seed, 4, 8, 2, 60));
    for (std::uint64_t& bytes : trace.description.expert_bytes) bytes = 10;
    for (const std::uint64_t budget : {80U, 120U, 200U}) {
      BeladyPolicy belady(trace, PolicyShapeOf(trace));
      const std::uint64_t best = Replay(trace, belady, nullptr, budget).decode_hits;
      for (const char* name : {"lru", "lfu", "lfru", "edgemoe"}) {
        const auto policy = (*FindEvictionPolicy(name))(PolicyShapeOf(trace));
        ASSERT_LE(Replay(trace, *policy, nullptr, budget).decode_hits, best) << name;
      }
    }
  }
}

TEST(ReplayTest, ABudgetForEverythingReadsEachExpertOnce) {
  const RoutingTrace trace = ReadText(RandomTrace(1, 3, 8, 2, 100));
  LruPolicy policy(PolicyShapeOf(trace));
  const ReplayCounts counts = Replay(trace, policy, nullptr, 1000);
  std::map<ExpertKey, std::uint64_t> used;
  for (const TraceBatch& batch : trace.batches)
    for (const ExpertChoice& choice : trace.RowsOf(batch)[0].choices)
      used[{batch.layer, ExpertIndex{choice.expert}}] =
          trace.description.expert_bytes[batch.layer.value];
  std::uint64_t bytes = 0;
  for (const auto& [key, size] : used) bytes += size;
  EXPECT_EQ(counts.decode_uses - counts.decode_hits, used.size());
  EXPECT_EQ(counts.decode_demand_bytes, bytes);
}

// Tokens that alternate between two paths: known after one round, then read ahead in time.
TEST(ReplayTest, PrefetchesCountAsTheyTurnOut) {
  std::string text =
      "# n_layer=2 n_expert=4 n_expert_used=1\n# layer=0 expert_bytes=10\n"
      "# layer=1 expert_bytes=10\n" +
      std::string(kTraceColumns) + "\n";
  for (int token = 0; token < 20; ++token)
    for (int layer = 0; layer < 2; ++layer)
      text += "0,1," + std::to_string(token) + "," + std::to_string(layer) + ",0," +
              std::to_string(token % 2) + ",1,0,10\n";
  const RoutingTrace trace = ReadText(text);
  const PredictorShape shape{
      .layer_count = 2, .experts_per_layer = 4, .experts_used = 1, .sessions_max = 1};
  LruPolicy policy(PolicyShapeOf(trace));
  PathPredictor path(shape);
  const ReplayCounts counts = Replay(trace, policy, &path, 20);
  EXPECT_GT(counts.decode_prefetch_hits, 30U);
  EXPECT_EQ(counts.decode_prefetch_hits, counts.decode_hits) << "two experts are too few to keep";
  EXPECT_EQ(counts.guessed_at_k, counts.decode_prefetch_hits);
  EXPECT_EQ(counts.prefetch_bytes, 10 * counts.decode_prefetch_hits + counts.prefetch_wasted_bytes);
  // The token before is never right here, and what is not resident any more is read in vain.
  LruPolicy again(PolicyShapeOf(trace));
  PreviousTokenPredictor previous(shape);
  const ReplayCounts wrong = Replay(trace, again, &previous, 20);
  EXPECT_EQ(wrong.guessed_at_2k, 0U);
  EXPECT_EQ(wrong.decode_prefetch_hits, 0U);
  EXPECT_EQ(wrong.prefetch_wasted_bytes, wrong.prefetch_bytes);
}

// ---- The recorded trace ----

class RecordedTraceTest : public testing::Test {
 protected:
  std::vector<double> HitRates(const std::string& name, const EvictionPolicyFactory& make) {
    std::vector<double> rates;
    std::cout << std::left << std::setw(16) << name << std::fixed << std::setprecision(2);
    for (const std::uint64_t mib : {2000U, 3000U, 4000U}) {
      const std::unique_ptr<EvictionPolicy> policy = make(PolicyShapeOf(trace_));
      const ReplayCounts counts = Replay(trace_, *policy, nullptr, mib * kMiB);
      rates.push_back(100.0 * static_cast<double>(counts.decode_hits) /
                      static_cast<double>(counts.decode_uses));
      std::cout << "  " << rates.back();
    }
    std::cout << "\n";
    return rates;
  }
  PredictorShape Shape() const {
    return {.layer_count = trace_.layer_count(),
            .experts_per_layer = trace_.description.experts_per_layer,
            .experts_used = trace_.description.experts_used,
            .sessions_max = trace_.sessions_max};
  }

  RoutingTrace trace_ = ReadText(RecordedTraceText());
};

testing::Matcher<std::vector<double>> Near(double a, double b, double c) {
  using testing::DoubleNear;
  return testing::ElementsAre(DoubleNear(a, 0.06), DoubleNear(b, 0.06), DoubleNear(c, 0.06));
}

TEST_F(RecordedTraceTest, ReproducesThePublishedFigures) {
  EXPECT_EQ(trace_.decode_tokens, 128U);
  EXPECT_THAT(HitRates("lru", LruPolicy::Make), Near(56.6, 70.6, 80.3));
  EXPECT_THAT(HitRates("belady",
                       [this](const PolicyShape& shape) {
                         return std::make_unique<BeladyPolicy>(trace_, shape);
                       }),
              Near(79.4, 87.8, 92.7));
  EXPECT_THAT(HitRates("lfu", *FindEvictionPolicy("lfu")), Near(58.6, 71.3, 80.8));
}

TEST_F(RecordedTraceTest, TheDefaultBeatsTheBestThatIsPublished) {
  const std::vector<double> lfru = HitRates("lfru", *FindEvictionPolicy("lfru"));
  EXPECT_GT(lfru[0], 65.0);  // published: 61.3
  EXPECT_GT(lfru[1], 76.2);  // published: 73.9
  EXPECT_GT(lfru[2], 84.1);  // published: 82.8
}

// The printed formula keeps what ran just now, which is needed last.
TEST_F(RecordedTraceTest, TheCorrectedFormulaBeatsThePrintedOne) {
  const std::vector<double> corrected = HitRates("edgemoe", EdgemoePolicy::Make);
  const std::vector<double> printed = HitRates("edgemoe-printed", [](const PolicyShape& shape) {
    return std::make_unique<EdgemoePolicy>(shape, EdgemoeFormula::kPrinted);
  });
  for (std::size_t i = 0; i < corrected.size(); ++i) EXPECT_GT(corrected[i], printed[i] + 0.5);
}

// Taught by the first half of the decoded tokens, asked in the second: published for two layers as
// independent witnesses are 56.7 % at k and 74.0 % at 2k, for the token before 37.6 %. Teaching
// goes on here, as it does in the daemon.
TEST_F(RecordedTraceTest, RecallOfThePredictors) {
  const auto recall = [this](Predictor& predictor) {
    LruPolicy whole(PolicyShapeOf(trace_));
    RoutingTrace& trace = trace_;
    const std::vector<TraceBatch> batches = trace.batches;
    std::uint64_t steps = 0;
    std::size_t half = 0;
    while (steps < 1 + trace.decode_tokens / 2) steps += batches[half++].begins_step ? 1 : 0;
    trace.batches.assign(batches.begin(), batches.begin() + static_cast<std::ptrdiff_t>(half));
    Replay(trace, whole, &predictor, 1 << 30);
    trace.batches.assign(batches.begin() + static_cast<std::ptrdiff_t>(half), batches.end());
    LruPolicy rest(PolicyShapeOf(trace_));
    const ReplayCounts counts = Replay(trace, rest, &predictor, 1 << 30);
    trace.batches = batches;
    const auto percent = [&](std::uint64_t count) {
      return 100.0 * static_cast<double>(count) / static_cast<double>(counts.guess_uses);
    };
    std::cout << "recall at k " << percent(counts.guessed_at_k) << ", at 2k "
              << percent(counts.guessed_at_2k) << "\n";
    return std::pair(percent(counts.guessed_at_k), percent(counts.guessed_at_2k));
  };
  PathPredictor path(Shape());
  const auto [path_k, path_2k] = recall(path);
  EXPECT_GT(path_k, 56.7);
  EXPECT_GT(path_2k, 74.0);
  PreviousTokenPredictor previous(Shape());
  EXPECT_NEAR(recall(previous).first, 37.6, 1.0);
}

}  // namespace
}  // namespace edgemoe
