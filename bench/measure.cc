// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "bench/statistics.h"
#include "bench/text_table.h"
#include "engine/probe.h"

namespace edgemoe::bench {
namespace {

// The warm-up's prompt: another text than the measured one, so that it does not favour its experts.
constexpr const char* kWarmupPrompt =
    "In the morning the farmer opened the gate, counted his sheep and walked down to the village";

}  // namespace

double TokensPerSecond(const GenerationSample& sample) {
  const double seconds = std::accumulate(sample.gaps_s.begin(), sample.gaps_s.end(), 0.0);
  return Ratio(static_cast<double>(sample.gaps_s.size()), seconds);
}

DecodeSummary Summarise(const std::vector<GenerationSample>& samples) {
  std::vector<double> speeds;
  std::vector<double> firsts;
  std::vector<double> gaps;
  PhaseCost sum;
  for (const GenerationSample& sample : samples) {
    speeds.push_back(TokensPerSecond(sample));
    firsts.push_back(sample.first_token_s);
    gaps.insert(gaps.end(), sample.gaps_s.begin(), sample.gaps_s.end());
    sum.wall_s += sample.decode.wall_s;
    sum.cpu_s += sample.decode.cpu_s;
    sum.wait_s += sample.decode.wait_s;
    sum.expert_uses += sample.decode.expert_uses;
    sum.expert_hits += sample.decode.expert_hits;
    sum.bytes_read += sample.decode.bytes_read;
    sum.metered_bytes += sample.decode.metered_bytes;
    sum.metered_s += sample.decode.metered_s;
  }
  const auto tokens = static_cast<double>(gaps.size());
  return {
      .tokens_per_second = Median(speeds),
      .gap_p50_s = Percentile(gaps, 50),
      .gap_p95_s = Percentile(gaps, 95),
      .gap_p99_s = Percentile(gaps, 99),
      .first_token_s = Median(firsts),
      .hit_rate = Ratio(static_cast<double>(sum.expert_hits), static_cast<double>(sum.expert_uses)),
      .bytes_per_token = Ratio(static_cast<double>(sum.bytes_read), tokens),
      .wait_share = Ratio(sum.wait_s, sum.wall_s),
      .wait_bytes_per_second = Ratio(static_cast<double>(sum.metered_bytes), sum.metered_s),
      .cpu_s_per_token = Ratio(sum.cpu_s, tokens)};
}

Result<GenerationSample> MeasureOnce(const Configuration& configuration, const GenerationPlan& plan,
                                     std::uint32_t warmup_tokens, EngineStats& stats) {
  EDGEMOE_ASSIGN_OR_FAIL(const std::unique_ptr<Engine> engine, Engine::Open(configuration.options));
  if (warmup_tokens > 0) {
    const Result<GenerationSample> warmed = Generate(*engine, {.prompt = std::string(kWarmupPrompt),
                                                               .tokens = warmup_tokens,
                                                               .seconds_max = plan.seconds_max});
    if (!warmed) return Failure(warmed.error());
  }
  Result<GenerationSample> sample = Generate(*engine, plan);
  stats = engine->GetStats();
  return sample;
}

std::string NameOf(const Configuration& configuration) {
  const EngineOptions& options = configuration.options;
  std::string name =
      FileName(options.model_path) + ", " + options.mode + " on " + options.storage_profile;
  if (options.mode != "edgemoe") return name;
  name += ", " + options.eviction_policy + ", " + options.predictor;
  if (!configuration.expert_budget.empty()) name += ", experts " + configuration.expert_budget;
  return name;
}

Result<std::vector<Measured>> MeasureInTurn(const std::vector<Configuration>& configurations,
                                            const GenerationPlan& plan, std::uint32_t warmup_tokens,
                                            std::uint32_t runs) {
  std::vector<Measured> measured;
  measured.reserve(configurations.size());
  for (const Configuration& configuration : configurations)
    measured.push_back({configuration, {}, {}});
  for (std::uint32_t run = 1; run <= runs; ++run) {
    for (Measured& one : measured) {
      Result<GenerationSample> sample =
          MeasureOnce(one.configuration, plan, warmup_tokens, one.stats);
      if (!sample) return Failure(sample.error().WithContext(NameOf(one.configuration)));
      Say("run " + std::to_string(run) + " of " + std::to_string(runs) + ", " +
          NameOf(one.configuration) + ": first token after " + Fixed(sample->first_token_s, 2) +
          " s, " + Fixed(TokensPerSecond(*sample), 2) + " tok/s");
      one.samples.push_back(*std::move(sample));
    }
  }
  return measured;
}

bool AllAlike(const std::vector<Measured>& measured) {
  std::map<std::string, std::vector<TokenId>> longest_of;
  for (const Measured& one : measured) {
    std::vector<TokenId>& longest = longest_of[one.configuration.options.model_path];
    for (const GenerationSample& sample : one.samples) {
      const std::size_t both = std::min(longest.size(), sample.tokens.size());
      if (!std::equal(longest.begin(), longest.begin() + static_cast<std::ptrdiff_t>(both),
                      sample.tokens.begin()))
        return false;
      if (sample.tokens.size() > longest.size()) longest = sample.tokens;
    }
  }
  return true;
}

double StorageBytesPerSecond(const Measured& measured, const ProbeReport& probe) {
  const std::uint64_t modelled = measured.stats.storage_model_bytes_per_second;
  return modelled == 0 ? probe.bytes_per_second : static_cast<double>(modelled);
}

}  // namespace edgemoe::bench
