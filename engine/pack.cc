// SPDX-License-Identifier: Apache-2.0
#include "engine/pack.h"

#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/bits/adaptive_pack.h"
#include "engine/bits/report_file.h"
#include "engine/model_name.h"
#include "engine/options.h"
#include "engine/pack/writer.h"
#include "engine/serving/option_check.h"

namespace edgemoe {
namespace {

constexpr std::size_t kPackThreadsMax = 64;
constexpr double kBitsMax = 32;
constexpr double kLossMax = 10;  // of KL in nats, and of the increase of perplexity

// (0, max]; no value is in range.
Status CheckNumber(const char* field, const std::optional<double>& value, double max) {
  if (!value || (*value > 0 && *value <= max)) return OkStatus();
  return InvalidField(field, ShowValue(*value), AcceptedAbove(0, max));
}

Status CheckTarget(PackMethod method, const PackTarget& target) {
  const std::pair<const char*, bool> kinds[] = {
      {"size_bytes", target.file_bytes.has_value()},
      {"bits", target.bits.has_value()},
      {"max_kl", target.kl_max.has_value()},
      {"max_ppl_increase", target.perplexity_increase_max.has_value()}};
  std::string found;
  int count = 0;
  for (const auto& [name, is_set] : kinds) {
    if (!is_set) continue;
    found += (found.empty() ? "" : " and ") + std::string(name);
    ++count;
  }
  if (count != (method == PackMethod::kCopy ? 0 : 1))
    return InvalidField(
        "target", found.empty() ? "none" : found,
        (method == PackMethod::kCopy ? std::string("none")
                                     : "one of size_bytes, bits, max_kl and max_ppl_increase") +
            " by method " + PackMethodName(method));
  if (target.file_bytes == 0)
    return InvalidField("size_bytes", ShowValue(0), "the length of a file, in bytes");
  EDGEMOE_RETURN_IF_ERROR(CheckNumber("bits", target.bits, kBitsMax));
  EDGEMOE_RETURN_IF_ERROR(CheckNumber("max_kl", target.kl_max, kLossMax));
  return CheckNumber("max_ppl_increase", target.perplexity_increase_max, kLossMax);
}

// The options as the jobs below the facade take them.
PackOptions Resolved(PackOptions options) {
  if (options.output_path.empty()) options.output_path = DefaultPackPath(options.source_path);
  EngineOptions threads;
  threads.threads = static_cast<std::uint32_t>(options.threads);
  options.threads = ThreadCount(threads);
  return options;
}

Result<PackReport> CopyWeights(PackOptions options) {
  PackJob job;
  job.source_path = options.source_path;
  job.output_path = options.output_path;
  job.overwrite = options.overwrite;
  job.threads = options.threads;
  job.cancelled = options.cancelled;
  std::optional<std::uint64_t> resumed_bytes;
  job.progress = [&](std::uint64_t bytes_done, std::uint64_t bytes_total) {
    if (!resumed_bytes) resumed_bytes = bytes_done;
    if (!options.progress) return;
    const bool copying = bytes_done < bytes_total;
    options.progress(
        {.phase = copying ? PackProgress::Phase::kCopying : PackProgress::Phase::kFinishing,
         .done = bytes_done,
         .total = bytes_total,
         .resumed = *resumed_bytes});
  };
  EDGEMOE_ASSIGN_OR_FAIL(PackResult result, RunPackJob(job));
  PackReport report;
  report.output_path = std::move(options.output_path);
  report.source_digest = std::move(result.source_digest);
  report.source_bytes = result.source_bytes;
  report.file_bytes = result.file_bytes;
  report.weight_bytes = result.weight_bytes;
  report.resumed_bytes = result.resumed_bytes;
  report.layer_count = result.layer_count;
  report.experts_per_layer = result.experts_per_layer;
  return report;
}

}  // namespace

std::string DefaultPackPath(const std::string& source_path) {
  const std::filesystem::path folder = std::filesystem::path(source_path).parent_path();
  return (folder / (ModelNameFromPath(source_path) + "-pack.gguf")).string();
}

Status CheckPackOptions(const PackOptions& options) {
  EDGEMOE_RETURN_IF_ERROR(CheckTarget(options.method, options.target));
  const std::string method = PackMethodName(options.method);
  if (options.granularity != PackGranularity::kExpert && options.method != PackMethod::kSensitivity)
    return InvalidFieldError("granularity", "found role; method " + method +
                                                " has one of its own; accepted by method "
                                                "sensitivity");
  EDGEMOE_RETURN_IF_ERROR(CheckRange("threads", options.threads, 0, kPackThreadsMax));
  if (options.method != PackMethod::kCopy) return OkStatus();
  const std::pair<const char*, bool> measured[] = {
      {"calibration_path", !options.calibration_path.empty()},
      {"plan_only", options.plan_only},
      {"memory_bytes", options.memory_bytes != 0}};
  for (const auto& [name, is_set] : measured)
    if (is_set) return InvalidField(name, "one", "none by method copy, which measures nothing");
  return OkStatus();
}

Result<PackMemory> PlanPack(const PackOptions& options) {
  EDGEMOE_FAIL_IF_ERROR(CheckPackOptions(options));
  if (options.method == PackMethod::kCopy) return PackMemory{};
  return PlanPackMemory(Resolved(options));
}

Result<PackReport> WritePack(const PackOptions& options) {
  EDGEMOE_FAIL_IF_ERROR(CheckPackOptions(options));
  if (options.method == PackMethod::kCopy) return CopyWeights(Resolved(options));
  EDGEMOE_ASSIGN_OR_FAIL(PackReport report, RunAdaptivePack(Resolved(options)));
  if (!report.plan_only) KeepReport(report);
  return report;
}

}  // namespace edgemoe
