// SPDX-License-Identifier: Apache-2.0
#include "bench/decode_report.h"

#include <cmath>
#include <set>
#include <utility>

#include "bench/statistics.h"
#include "bench/text_table.h"
#include "engine/base/byte_size.h"
#include "engine/describe.h"
#include "engine/probe.h"

namespace edgemoe::bench {
namespace {

std::string Milliseconds(double seconds) { return Fixed(seconds * 1e3, seconds < 0.1 ? 2 : 0); }

std::string ExpertShare(const MemoryPlan& plan) {
  return Fixed(100 * Ratio(static_cast<double>(plan.expert_bytes),
                           static_cast<double>(plan.expert_total_bytes)),
               0);
}

std::string TokenBytes(double bytes) {
  return FormatByteSize(static_cast<std::uint64_t>(std::llround(bytes)));
}

Json RunJson(const GenerationSample& sample) {
  return {{"tok_per_s", TokensPerSecond(sample)},
          {"tokens", sample.tokens.size()},
          {"time_to_first_token_s", sample.first_token_s},
          {"decode_s", sample.decode.wall_s},
          {"cpu_s", sample.decode.cpu_s},
          {"storage_wait_s", sample.decode.wait_s},
          {"expert_uses", sample.decode.expert_uses},
          {"expert_hits", sample.decode.expert_hits},
          {"bytes_read", sample.decode.bytes_read},
          {"prompt_bytes_read", sample.prompt.bytes_read}};
}

}  // namespace

Result<DecodeMeasurement> MeasureDecode(const RunSettings& run) {
  EDGEMOE_ASSIGN_OR_FAIL(Configurations configurations, MakeConfigurations(run));
  if (configurations.list.empty())
    return Failure(InvalidArgumentError("--mode: nothing is left to be measured; " +
                                        configurations.notes.front()));
  DecodeMeasurement measurement;
  measurement.notes = std::move(configurations.notes);
  EDGEMOE_ASSIGN_OR_FAIL(measurement.probe, ProbeStorage({.path = run.models.front(),
                                                          .state_directory = "",
                                                          .fresh = true,
                                                          .io_backend = run.engine.io_backend}));
  if (!measurement.probe.note.empty())
    measurement.notes.push_back("storage: " + measurement.probe.note);
  const GenerationPlan plan = {
      .prompt = run.prompt, .tokens = run.tokens, .seconds_max = run.seconds_max};
  EDGEMOE_ASSIGN_OR_FAIL(measurement.measured,
                         MeasureInTurn(configurations.list, plan, run.warmup_tokens, run.runs));
  measurement.alike = AllAlike(measurement.measured);
  if (!measurement.alike)
    measurement.notes.push_back("configurations of one file wrote different tokens");
  return measurement;
}

std::string DecodeText(const RunSettings& run, const DecodeMeasurement& measurement) {
  TextTable table({"file", "mode", "storage", "policy", "predictor", "experts %", "tok/s", "p50 ms",
                   "p95 ms", "p99 ms", "first s", "hits %", "read/token", "wait %", "disk %",
                   "cpu s/token"});
  for (const Measured& one : measurement.measured) {
    const DecodeSummary summary = Summarise(one.samples);
    const EngineOptions& options = one.configuration.options;
    const bool caches = options.mode == "edgemoe";
    const double storage = StorageBytesPerSecond(one, measurement.probe);
    table.Add({FileName(options.model_path), options.mode, options.storage_profile,
               caches ? options.eviction_policy : "-", caches ? options.predictor : "-",
               ExpertShare(one.configuration.plan), Fixed(summary.tokens_per_second, 2),
               Milliseconds(summary.gap_p50_s), Milliseconds(summary.gap_p95_s),
               Milliseconds(summary.gap_p99_s), Fixed(summary.first_token_s, 2),
               Fixed(100 * summary.hit_rate, 1), TokenBytes(summary.bytes_per_token),
               Fixed(100 * summary.wait_share, 0),
               Fixed(100 * Ratio(summary.wait_bytes_per_second, storage), 0),
               Fixed(summary.cpu_s_per_token, 4)});
  }
  std::string text = table.Text();
  text += "\n" + std::to_string(run.runs) +
          " runs of each in turn; tok/s and first: medians; p50, "
          "p95, p99: of the times between tokens; wait: share of the time in which the engine had "
          "only storage to wait for; disk: the speed of storage meanwhile, in % of ";
  text += Fixed(measurement.probe.bytes_per_second / 1e6, 0) +
          " MB/s as probed, or of what it is modelled to have\n";
  std::set<std::string> told = {"real"};
  for (const Measured& one : measurement.measured) {
    const EngineOptions& options = one.configuration.options;
    if (!told.insert(options.storage_profile).second) continue;
    text += options.storage_profile + ": scale " + Fixed(options.storage_scale, 4) + ", " +
            Fixed(StorageBytesPerSecond(one, measurement.probe) / 1e6, 2) + " MB/s\n";
  }
  if (measurement.alike)
    text += (run.models.size() > 1 ? "all of one file wrote the same tokens\n"
                                   : "all wrote the same tokens\n");
  for (const std::string& note : measurement.notes) text += "note: " + note + "\n";
  return text;
}

Status AddDecodeJson(const RunSettings& run, const DecodeMeasurement& measurement, Json& json) {
  EDGEMOE_ASSIGN_OR_RETURN(const ModelDescription model, DescribeModel(run.models.front()));
  json["model"] = ToJson(model);
  json["storage"] = ToJson(measurement.probe);
  json["settings"] = {{"prompt", run.prompt},
                      {"tokens", run.tokens},
                      {"warmup_tokens", run.warmup_tokens},
                      {"seconds_max", run.seconds_max},
                      {"runs", run.runs},
                      {"storage_scale", run.storage_scale},
                      {"prefill_chunk_tokens", run.engine.prefill_chunk_tokens},
                      {"context_tokens", run.engine.context_tokens},
                      {"io_depth", run.engine.io_depth}};
  json["same_tokens"] = measurement.alike;
  json["notes"] = measurement.notes;
  json["results"] = Json::array();
  for (const Measured& one : measurement.measured) {
    const DecodeSummary summary = Summarise(one.samples);
    const double storage = StorageBytesPerSecond(one, measurement.probe);
    Json result = ToJson(one.configuration);
    result["threads"] = one.stats.threads;
    result["kernels"] = one.stats.kernels;
    result["io_backend"] = one.stats.io_backend;
    result["tok_per_s"] = summary.tokens_per_second;
    result["token_gap_p50_s"] = summary.gap_p50_s;
    result["token_gap_p95_s"] = summary.gap_p95_s;
    result["token_gap_p99_s"] = summary.gap_p99_s;
    result["time_to_first_token_s"] = summary.first_token_s;
    result["hit_rate"] = summary.hit_rate;
    result["bytes_per_token"] = summary.bytes_per_token;
    result["storage_wait_share"] = summary.wait_share;
    result["storage_bytes_per_second"] = storage;
    result["storage_share_while_waiting"] = Ratio(summary.wait_bytes_per_second, storage);
    result["cpu_s_per_token"] = summary.cpu_s_per_token;
    for (const GenerationSample& sample : one.samples) result["runs"].push_back(RunJson(sample));
    json["results"].push_back(std::move(result));
  }
  return OkStatus();
}

}  // namespace edgemoe::bench
