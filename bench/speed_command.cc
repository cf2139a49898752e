// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "bench/commands.h"
#include "bench/measure.h"
#include "bench/statistics.h"
#include "bench/text_table.h"
#include "engine/base/byte_size.h"
#include "engine/speed.h"

namespace edgemoe::bench {
namespace {

struct Pair {
  ExpectedSpeed expected;
  GenerationSample sample;
};

// Storage and computing are measured anew, then the engine is opened and writes.
Result<Pair> MeasurePair(const Configuration& configuration, const RunSettings& run) {
  const EngineOptions& options = configuration.options;
  Pair pair;
  EDGEMOE_ASSIGN_OR_FAIL(pair.expected,
                         ExpectSpeed(options, configuration.plan,
                                     {.storage_path = options.model_path, .fresh = true}));
  EngineStats stats;
  EDGEMOE_ASSIGN_OR_FAIL(
      pair.sample,
      MeasureOnce(configuration,
                  {.prompt = run.prompt, .tokens = run.tokens, .seconds_max = run.seconds_max},
                  run.warmup_tokens, stats));
  return pair;
}

double HitRate(const PhaseCost& cost) {
  return Ratio(static_cast<double>(cost.expert_hits), static_cast<double>(cost.expert_uses));
}

double BytesPerToken(const GenerationSample& sample) {
  return Ratio(static_cast<double>(sample.decode.bytes_read),
               static_cast<double>(sample.gaps_s.size()));
}

double ExpertShare(const MemoryPlan& plan) {
  return Ratio(static_cast<double>(plan.expert_bytes),
               static_cast<double>(plan.expert_total_bytes));
}

Json ToJson(const Pair& pair) {
  const double measured = TokensPerSecond(pair.sample);
  return {{"expected_tok_per_s", pair.expected.tokens_per_second},
          {"expected_low_tok_per_s", pair.expected.low},
          {"expected_high_tok_per_s", pair.expected.high},
          {"expected_bound", pair.expected.bound == SpeedBound::kStorage ? "storage" : "computing"},
          {"expected_hit_rate", pair.expected.hit_rate},
          {"expected_bytes_per_token", pair.expected.read_bytes_per_token},
          {"expected_compute_s", pair.expected.compute_seconds},
          {"expected_storage_s", pair.expected.storage_seconds},
          {"storage_bytes_per_second", pair.expected.storage_bytes_per_second},
          {"tok_per_s", measured},
          {"hit_rate", HitRate(pair.sample.decode)},
          {"bytes_per_token", BytesPerToken(pair.sample)},
          {"storage_wait_s", pair.sample.decode.wait_s},
          {"decode_s", pair.sample.decode.wall_s},
          {"expected_over_measured", Ratio(pair.expected.tokens_per_second, measured)}};
}

// The medians of a configuration's pairs, and how far they are apart.
struct PairSummary {
  std::vector<double> expected;
  std::vector<double> measured;
  std::vector<double> ratios;  // expected / measured
  std::vector<double> hits_expected;
  std::vector<double> hits;
  std::vector<double> read_expected;
  std::vector<double> read;

  void Add(const Pair& pair) {
    expected.push_back(pair.expected.tokens_per_second);
    measured.push_back(TokensPerSecond(pair.sample));
    ratios.push_back(Ratio(expected.back(), measured.back()));
    hits_expected.push_back(pair.expected.hit_rate);
    hits.push_back(HitRate(pair.sample.decode));
    read_expected.push_back(pair.expected.read_bytes_per_token);
    read.push_back(BytesPerToken(pair.sample));
  }
};

std::string Percent(const std::vector<double>& shares) { return Fixed(100 * Median(shares), 0); }

std::string Size(const std::vector<double>& bytes) {
  return FormatByteSize(static_cast<std::uint64_t>(std::llround(Median(bytes))));
}

}  // namespace

Result<Report> Run(const SpeedCommand& command, const Settings& settings) {
  const RunSettings& run = command.run;
  EDGEMOE_ASSIGN_OR_FAIL(const Configurations configurations, MakeConfigurations(run));
  Report report{"", NewJson("speed", settings)};
  report.json["results"] = Json::array();
  TextTable table({"file", "experts %", "expected", "measured", "ratio", "least", "most",
                   "hits expected %", "hits %", "read expected", "read/token"});
  for (const Configuration& configuration : configurations.list) {
    PairSummary summary;
    Json result = ToJson(configuration);
    for (std::uint32_t i = 1; i <= run.runs; ++i) {
      Result<Pair> pair = MeasurePair(configuration, run);
      if (!pair) return Failure(pair.error().WithContext(NameOf(configuration)));
      summary.Add(*pair);
      result["pairs"].push_back(ToJson(*pair));
      Say("pair " + std::to_string(i) + " of " + std::to_string(run.runs) + ", " +
          NameOf(configuration) + ": expected " + Fixed(summary.expected.back(), 2) + " tok/s, " +
          Fixed(summary.measured.back(), 2) + " measured");
    }
    result["median_expected_over_measured"] = Median(summary.ratios);
    report.json["results"].push_back(std::move(result));
    table.Add({FileName(configuration.options.model_path),
               Fixed(100 * ExpertShare(configuration.plan), 0), Fixed(Median(summary.expected), 2),
               Fixed(Median(summary.measured), 2), Fixed(Median(summary.ratios), 2),
               Fixed(Percentile(summary.ratios, 0), 2), Fixed(Percentile(summary.ratios, 100), 2),
               Percent(summary.hits_expected), Percent(summary.hits), Size(summary.read_expected),
               Size(summary.read)});
  }
  report.text = table.Text() + "\n" + std::to_string(run.runs) +
                " pairs of each, storage and computing measured just before; medians; ratio: "
                "expected to measured, least and most of all pairs\n";
  return report;
}

}  // namespace edgemoe::bench
