// SPDX-License-Identifier: Apache-2.0
#include "engine/bits/report_file.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const PackQuality& quality) {
  return {{"source_perplexity", quality.source_perplexity},
          {"perplexity", quality.perplexity},
          {"mean_kl", quality.mean_kl},
          {"kl_p99", quality.kl_p99},
          {"same_top_fraction", quality.same_top_fraction},
          {"tokens", quality.tokens}};
}

Json ToJson(const TypeSummary& row) {
  Json object = Json::object();
  if (row.layer) object["layer"] = *row.layer;
  object["role"] = row.role;
  object["weights"] = row.weights;
  object["bytes"] = row.bytes;
  object["bits"] = row.bits;
  Json types = Json::array();
  for (const TypeSummary::TypeCount& count : row.types)
    types.push_back({{"type", count.type}, {"tensors", count.tensors}});
  object["types"] = std::move(types);
  return object;
}

}  // namespace

std::string PackReportPath(const std::string& output_path) {
  constexpr std::string_view kEnding = ".gguf";
  std::string stem = output_path;
  if (stem.ends_with(kEnding)) stem.resize(stem.size() - kEnding.size());
  return stem + ".report.json";
}

std::string ToJson(const PackReport& report) {
  Json object = {
      {"output_path", report.output_path},        {"source_digest", report.source_digest},
      {"source_bytes", report.source_bytes},      {"file_bytes", report.file_bytes},
      {"weight_bytes", report.weight_bytes},      {"layer_count", report.layer_count},
      {"expert_count", report.experts_per_layer}, {"method", PackMethodName(report.method)},
      {"source_bits", report.source_bits},        {"bits", report.bits}};
  if (report.expected_kl) object["expected_kl"] = *report.expected_kl;
  if (report.quality) object["quality"] = ToJson(*report.quality);
  object["calibration_tokens"] = report.calibration_tokens;
  object["probe_count"] = report.probe_count;
  object["experts_never_used"] = report.experts_never_used;
  object["rows"] = Json::array();
  for (const TypeSummary& row : report.rows) object["rows"].push_back(ToJson(row));
  object["curve"] = Json::array();
  for (const PackPoint& point : report.curve)
    object["curve"].push_back(
        {{"file_bytes", point.file_bytes}, {"bits", point.bits}, {"kl", point.kl}});
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void KeepReport(PackReport& report) {
  const std::string path = PackReportPath(report.output_path);
  if (const Status status = WriteWholeFile(path, ToJson(report)); status.ok())
    report.report_path = path;
  else
    report.report_error = status.message();
}

}  // namespace edgemoe
