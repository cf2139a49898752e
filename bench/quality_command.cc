// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "bench/commands.h"
#include "bench/text_table.h"
#include "engine/base/byte_size.h"
#include "engine/quality.h"

namespace edgemoe::bench {
namespace {

Result<QualityOptions> OptionsFor(const QualityCommand& command) {
  QualityOptions options;
  options.model_paths = command.models;
  options.reference_path = command.reference;
  options.text_path = command.text;
  options.context_tokens = command.context_tokens;
  options.windows_max = command.windows;
  options.threads = command.threads;
  options.io_backend = command.io_backend;
  options.kernels = command.kernels;
  options.progress = [last = std::string()](const std::string& path, std::uint64_t,
                                            std::uint64_t total) mutable {
    if (path != std::exchange(last, path)) Say(path + ": " + std::to_string(total) + " positions");
  };
  if (!command.memory.empty()) {
    Result<std::uint64_t> bytes = ParseByteSize(command.memory);
    if (!bytes) return Failure(bytes.error().InField("--memory"));
    options.memory_bytes = *bytes;
  }
  return options;
}

double Seconds(const QualityReport& quality) {
  return static_cast<double>(quality.elapsed_ns) * 1e-9;
}

Json ToJson(const QualityReport& quality) {
  Json json = {{"model", bench::ToJson(quality.model)},
               {"windows", quality.windows},
               {"tokens", quality.tokens},
               {"perplexity", quality.perplexity},
               {"memory_bytes", quality.memory_bytes},
               {"expert_bytes_read", quality.expert_bytes_read},
               {"seconds", Seconds(quality)}};
  if (!quality.divergence) return json;
  json["mean_kl"] = quality.divergence->mean_kl;
  json["kl_p50"] = quality.divergence->kl_p50;
  json["kl_p99"] = quality.divergence->kl_p99;
  json["kl_max"] = quality.divergence->kl_max;
  json["reference_perplexity"] = quality.divergence->reference_perplexity;
  json["perplexity_ratio"] = quality.perplexity / quality.divergence->reference_perplexity;
  json["same_top_fraction"] = quality.divergence->same_top_fraction;
  return json;
}

void AddRow(const QualityReport& quality, TextTable& table) {
  std::vector<std::string> cells = {quality.model.name, FormatByteSize(quality.model.file_bytes),
                                    Fixed(quality.perplexity, 4)};
  if (quality.divergence) {
    const QualityReport::Divergence& divergence = *quality.divergence;
    const double increase = quality.perplexity / divergence.reference_perplexity - 1;
    cells.insert(cells.end(),
                 {Fixed(100 * increase, 3), Fixed(divergence.mean_kl, 6),
                  Fixed(divergence.kl_p50, 6), Fixed(divergence.kl_p99, 6),
                  Fixed(divergence.kl_max, 4), Fixed(100 * divergence.same_top_fraction, 2)});
  } else {
    cells.resize(9, "-");
  }
  cells.push_back(Fixed(Seconds(quality), 1));
  table.Add(std::move(cells));
}

}  // namespace

Result<Report> Run(const QualityCommand& command, const Settings& settings) {
  EDGEMOE_ASSIGN_OR_FAIL(const QualityOptions options, OptionsFor(command));
  Report report{"", NewJson("quality", settings)};
  report.json["text"] = command.text;
  report.json["context_tokens"] = command.context_tokens;
  report.json["reference"] = command.reference;
  report.json["results"] = Json::array();
  TextTable table({"model", "size", "perplexity", "increase %", "mean KL", "KL 50 %", "KL 99 %",
                   "KL max", "same top %", "s"});
  std::string notes;
  EDGEMOE_ASSIGN_OR_FAIL(const std::vector<QualityReport> qualities, MeasureQuality(options));
  for (const QualityReport& quality : qualities) {
    report.json["results"].push_back(ToJson(quality));
    AddRow(quality, table);
    notes = "\n" + std::to_string(quality.tokens) + " positions in " +
            std::to_string(quality.windows) + " windows of " +
            std::to_string(command.context_tokens) + " tokens";
    if (quality.divergence)
      notes +=
          "; the reference's perplexity is " + Fixed(quality.divergence->reference_perplexity, 4);
  }
  report.text = table.Text() + notes + "\n";
  return report;
}

}  // namespace edgemoe::bench
