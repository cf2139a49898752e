// SPDX-License-Identifier: Apache-2.0
//
// lfu, edgemoe and lfru against what their headers say, computed anew each time in floating point.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/cache/edgemoe_policy.h"
#include "engine/cache/lfru_policy.h"
#include "engine/cache/lfu_policy.h"
#include "engine/cache/routing_echo.h"
#include "engine/cache/use_rates.h"
#include "tests/engine/cache/policy_driver.h"
#include "tests/support/sanitized.h"

namespace edgemoe {
namespace {

constexpr PolicyShape kShape{.layer_count = 4, .experts_per_layer = 6, .sessions_max = 3};

// The batches that used an expert.
struct NaiveCounts {
  void OnLayer(ExpertLayerIndex at) {
    layer = at;
    ++pass;
  }
  void OnUse(const ExpertUse& use) { passes[use.key].insert(pass); }

  ExpertLayerIndex layer{};
  int pass = 0;
  std::map<ExpertKey, std::set<int>> passes;
};

template <class Naive>
void Connect(PolicyDriver& driver, Naive& naive) {
  driver.on_layer = [&naive](ExpertLayerIndex layer) { naive.OnLayer(layer); };
  driver.on_use = [&naive](const ExpertUse& use) { naive.OnUse(use); };
}

TEST(LfuPolicyTest, AgreesWithSetsOfBatches) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    LfuPolicy policy(kShape);
    PolicyDriver driver(policy, kShape, seed);
    NaiveCounts naive;
    Connect(driver, naive);
    driver.check = [&] {
      const std::optional<ExpertKey> victim = policy.Victim();
      std::optional<ExpertKey> expected;
      const auto worth = [&](ExpertKey key) {
        const std::set<int>& passes = naive.passes[key];
        return std::pair(passes.size(), passes.empty() ? 0 : *passes.rbegin());
      };
      for (const ExpertKey key : driver.KeysAt(PolicyDriver::Place::kEvictable))
        if (!expected || worth(key) < worth(*expected)) expected = key;
      ASSERT_EQ(victim, expected) << seed;
    };
    for (int step = 0; step < 20; ++step) driver.RunStep();
  }
}

class EdgemoePolicyTest : public testing::TestWithParam<EdgemoeFormula> {};

TEST_P(EdgemoePolicyTest, AgreesWithTheFormula) {
  const int layers = kShape.layer_count;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    EdgemoePolicy policy(kShape, GetParam());
    PolicyDriver driver(policy, kShape, seed);
    NaiveCounts naive;
    Connect(driver, naive);
    const auto worth = [&](ExpertKey key) {
      const double count = static_cast<double>(naive.passes[key].size());
      const int i = static_cast<int>(key.layer.value);
      const int now = static_cast<int>(naive.layer.value);
      if (GetParam() == EdgemoeFormula::kPrinted) {
        const int d = (layers - i + now) % layers;
        if (d == 0) return count == 0 ? 0 : std::numeric_limits<double>::infinity();
        return count / d;
      }
      const int d = (i - now + layers) % layers;
      return count / (d == 0 ? layers : d);
    };
    driver.check = [&] {
      if (naive.pass == 0) return;
      const std::optional<ExpertKey> victim = policy.Victim();
      double least = std::numeric_limits<double>::infinity();
      for (const ExpertKey key : driver.KeysAt(PolicyDriver::Place::kEvictable))
        least = std::min(least, worth(key));
      if (!victim) return;
      // Infinite when only the layer that runs has any.
      ASSERT_TRUE(worth(*victim) <= least * (1 + 1e-12)) << seed;
    };
    for (int step = 0; step < 20; ++step) driver.RunStep();
  }
}

INSTANTIATE_TEST_SUITE_P(Formulas, EdgemoePolicyTest,
                         testing::Values(EdgemoeFormula::kCorrected, EdgemoeFormula::kPrinted));

// Rates as means that forget, in doubles.
class NaiveRates {
 public:
  explicit NaiveRates(const PolicyShape& shape)
      : echo_row_(shape.experts_per_layer), routing_echo_(shape) {}

  void OnLayer(ExpertLayerIndex layer) {
    Settle();
    layer_ = layer;
    decoded_ = false;
  }

  void OnUse(const ExpertUse& use) {
    const bool decode = use.phase == RoutingPhase::kDecode;
    if (decode && !std::exchange(decoded_, true)) {
      for (auto& [key, rate] : common_)
        if (key.layer == layer_) rate *= Keep(512);
      for (auto& [slot, session] : sessions_) {
        for (auto& [key, rate] : session.fast)
          if (key.layer == layer_) rate *= Keep(1);
        for (auto& [key, rate] : session.slow)
          if (key.layer == layer_) rate *= Keep(24);
        for (auto& [key, rate] : session.echo)
          if (key.layer == layer_) rate *= Keep(1);
      }
    }
    Session& session = sessions_[use.session.value];
    if (session.request != use.request)
      session = {.request = use.request, .fast = {}, .slow = {}, .echo = {}, .chosen = {}};
    if (decode) session.chosen.push_back(use.key.expert.value);
    if (decode) session.fast[use.key] = std::min(1.0, session.fast[use.key] + 0.2 * (1 - Keep(1)));
    Lift(session.slow[use.key], 0.8 * (1 - Keep(24)), decode);
    Lift(common_[use.key], 1 - Keep(512), decode);
  }

  double RateOf(ExpertKey key) {
    double rate = common_[key] / 8;
    for (auto& [slot, session] : sessions_)
      rate += session.fast[key] + session.slow[key] + session.echo[key];
    return rate;
  }
  ExpertLayerIndex layer() const { return layer_; }

 private:
  struct Session {
    RequestId request{};
    std::map<ExpertKey, double> fast;
    std::map<ExpertKey, double> slow;
    std::map<ExpertKey, double> echo;
    std::vector<std::uint32_t> chosen;
  };
  void Settle() {
    for (auto& [slot, session] : sessions_) {
      if (session.chosen.empty()) continue;
      routing_echo_.OnChosen(SessionSlot{slot}, session.request, layer_, session.chosen);
      session.chosen.clear();
      routing_echo_.Echo(SessionSlot{slot}, UseRates::kOne * 2 / 5, echo_row_);
      for (std::uint32_t i = 0; i < echo_row_.size(); ++i)
        session.echo[{layer_, ExpertIndex{i}}] = static_cast<double>(echo_row_[i]) / UseRates::kOne;
    }
  }
  static double Keep(double half_life_tokens) { return std::exp2(-1 / half_life_tokens); }
  static void Lift(double& rate, double gain, bool decode) {
    rate = std::max(rate, std::min(rate + gain, decode ? 1.0 : 1.0 / 20));
  }

  ExpertLayerIndex layer_{};
  bool decoded_ = false;
  std::map<std::uint32_t, Session> sessions_;
  std::map<ExpertKey, double> common_;
  std::vector<std::uint32_t> echo_row_;
  RoutingEcho routing_echo_;  // has a test of its own
};

// What integers in units of 2^-20 and rounded-up fades lose: of each part, at most a unit a fade,
// 1 / (1 - keep) times in the long run, and half a unit in 89 or 1866 of a fade's own size.
constexpr double kRateTolerance = 0.005;

TEST(UseRatesTest, AgreeWithMeansThatForget) {
  for (std::uint64_t seed = 0; seed < (kSanitized ? 10 : 60); ++seed) {
    LfruPolicy policy(kShape);
    UseRates rates(kShape);
    NaiveRates naive(kShape);
    PolicyDriver driver(policy, kShape, seed);
    bool layer_begins = false;
    driver.on_layer = [&](ExpertLayerIndex layer) {
      layer_begins = true;
      naive.OnLayer(layer);
      rates.OnLayer(layer);
    };
    driver.on_use = [&](const ExpertUse& use) {
      naive.OnUse(use);
      rates.OnUse(use);
      for (std::size_t i = 0; i < rates.rates().size(); ++i) {
        const double rate = static_cast<double>(rates.rates()[i]) / UseRates::kOne;
        ASSERT_NEAR(rate, naive.RateOf(driver.KeyOf(i)), kRateTolerance) << seed;
      }
    };
    driver.check = [&] {
      // Later in a layer the policy may have settled and the naive rates not.
      if (!std::exchange(layer_begins, false)) return;
      const std::optional<ExpertKey> victim = policy.Victim();
      if (!victim) return;
      const auto worth = [&](ExpertKey key) {
        const std::uint32_t to = key.layer.value;
        const std::uint32_t at = naive.layer().value;
        const double distance = to > at ? to - at : to + kShape.layer_count - at;
        return naive.RateOf(key) * (1 - 0.3 * distance / kShape.layer_count);
      };
      for (const ExpertKey key : driver.KeysAt(PolicyDriver::Place::kEvictable))
        ASSERT_LE(worth(*victim), worth(key) + 2 * kRateTolerance) << seed;
    };
    for (int step = 0; step < 40; ++step) driver.RunStep();
  }
}

ExpertUse Use(std::uint32_t expert, std::uint64_t request, std::uint32_t slot,
              RoutingPhase phase = RoutingPhase::kDecode) {
  return {.key = {ExpertLayerIndex{0}, ExpertIndex{expert}},
          .phase = phase,
          .session = SessionSlot{slot},
          .request = RequestId{request}};
}

TEST(UseRatesTest, ALongPromptDoesNotOutweighDecoding) {
  UseRates rates(kShape);
  for (int token = 0; token < 24; ++token) {
    rates.OnLayer(ExpertLayerIndex{0});
    rates.OnUse(Use(0, 1, 0));
  }
  rates.Settle();
  const std::uint32_t decoded = rates.rates()[0];
  for (int chunk = 0; chunk < 20; ++chunk) {
    rates.OnLayer(ExpertLayerIndex{0});
    for (int token = 0; token < 512; ++token) rates.OnUse(Use(1, 2, 1, RoutingPhase::kPrefill));
  }
  EXPECT_EQ(rates.rates()[0], decoded) << "a prompt makes nobody forget";
  EXPECT_GT(rates.rates()[1], 0U);
  EXPECT_LT(rates.rates()[1], decoded / 5);
}

TEST(UseRatesTest, ASessionsRatesGoWithIt) {
  UseRates rates(kShape);
  for (int token = 0; token < 24; ++token) {
    rates.OnLayer(ExpertLayerIndex{0});
    rates.OnUse(Use(0, 1, 0));
    rates.OnUse(Use(2, 2, 1));
  }
  rates.Settle();
  const std::uint32_t before = rates.rates()[0];
  const std::uint32_t other = rates.rates()[2];
  rates.OnLayer(ExpertLayerIndex{0});
  rates.OnUse(Use(1, 3, 0, RoutingPhase::kPrefill));
  EXPECT_LT(rates.rates()[0], before / 50) << "but the common rate";
  EXPECT_GT(rates.rates()[0], 0U);
  EXPECT_EQ(rates.rates()[2], other);
}

// A slot that nobody takes again holds its experts for a while only.
TEST(UseRatesTest, WhatAStoppedSessionLeavesFades) {
  UseRates rates(kShape);
  for (int token = 0; token < 100; ++token) {
    rates.OnLayer(ExpertLayerIndex{0});
    rates.OnUse(Use(0, 1, 0));
  }
  const std::uint32_t before = rates.rates()[0];
  for (int token = 0; token < 10000; ++token) {
    rates.OnLayer(ExpertLayerIndex{0});
    rates.OnUse(Use(1, 2, 1));
    if (token == 200) {
      EXPECT_LT(rates.rates()[0], before / 20);
    }
  }
  EXPECT_EQ(rates.rates()[0], 0U);
}

}  // namespace
}  // namespace edgemoe
