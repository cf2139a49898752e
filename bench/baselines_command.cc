// SPDX-License-Identifier: Apache-2.0
//
// The engine's configurations against the paper's baselines on the same storage. A ratio is the
// median over runs of the quotient of two runs that followed each other.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "bench/commands.h"
#include "bench/decode_report.h"
#include "bench/statistics.h"
#include "bench/text_table.h"

namespace edgemoe::bench {
namespace {

constexpr std::array<const char*, 4> kBaselines = {"on-demand", "layer-stream", "mmap", "resident"};

// A mode without a cache, on one file and storage.
const Measured* Find(const std::vector<Measured>& measured, const std::string& mode,
                     const std::string& storage, const std::string& path) {
  for (const Measured& one : measured) {
    const EngineOptions& options = one.configuration.options;
    if (options.mode == mode && options.storage_profile == storage && options.model_path == path)
      return &one;
  }
  return nullptr;
}

double MedianRatio(const Measured& one, const Measured& other) {
  std::vector<double> ratios;
  for (std::size_t run = 0; run < std::min(one.samples.size(), other.samples.size()); ++run)
    ratios.push_back(Ratio(TokensPerSecond(one.samples[run]), TokensPerSecond(other.samples[run])));
  return Median(ratios);
}

// Compares `one` with the baselines on the file `path`: a row of the table, and JSON for programs.
Json CompareWith(const std::string& path, const Measured& one,
                 const std::vector<Measured>& measured, TextTable& table) {
  const EngineOptions& options = one.configuration.options;
  const std::string& expert_budget = one.configuration.expert_budget;
  Json ratios = {{"file", options.model_path},        {"storage", options.storage_profile},
                 {"policy", options.eviction_policy}, {"predictor", options.predictor},
                 {"expert_budget", expert_budget},    {"beside", path}};
  std::vector<std::string> row = {FileName(options.model_path),
                                  options.storage_profile,
                                  options.eviction_policy,
                                  options.predictor,
                                  expert_budget.empty() ? std::string("all") : expert_budget,
                                  FileName(path)};
  for (const char* mode : kBaselines) {
    const Measured* other = Find(measured, mode, options.storage_profile, path);
    const double ratio = other == nullptr ? 0 : MedianRatio(one, *other);
    row.push_back(other == nullptr ? "-" : Fixed(ratio, 2) + "x");
    if (other != nullptr) ratios[std::string("over_") + mode] = ratio;
  }
  table.Add(std::move(row));
  return ratios;
}

}  // namespace

Result<Report> Run(const BaselinesCommand& command, const Settings& settings) {
  EDGEMOE_ASSIGN_OR_FAIL(const DecodeMeasurement measurement, MeasureDecode(command.run));
  Report report{DecodeText(command.run, measurement), NewJson("baselines", settings)};
  EDGEMOE_FAIL_IF_ERROR(AddDecodeJson(command.run, measurement, report.json));

  TextTable table({"file", "storage", "policy", "predictor", "experts", "beside", "over on-demand",
                   "over layer-stream", "over mmap", "of resident"});
  report.json["ratios"] = Json::array();
  for (const Measured& one : measurement.measured) {
    if (one.configuration.options.mode != "edgemoe") continue;
    for (const std::string& path : command.run.models) {
      report.json["ratios"].push_back(CompareWith(path, one, measurement.measured, table));
    }
  }
  report.text += "\n" + table.Text();
  return report;
}

}  // namespace edgemoe::bench
