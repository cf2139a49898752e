// SPDX-License-Identifier: Apache-2.0
#include "engine/speed/compute_store.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/system/whole_file.h"
#include "engine/io/state_json.h"

namespace edgemoe {
namespace {

using nlohmann::json;

bool IsRate(double value) { return std::isfinite(value) && value > 0; }

json ToJson(const ComputeProbe& probe) {
  json rates = json::array();
  for (const ComputeRate& rate : probe.rates)
    rates.push_back({{"type", TraitsOf(rate.type).name},
                     {"memory_bytes_per_second", rate.memory_bytes_per_second},
                     {"cache_bytes_per_second", rate.cache_bytes_per_second}});
  return {{"version", kComputeProbeVersion},
          {"processor", probe.key.processor},
          {"kernels", probe.key.kernels},
          {"threads", probe.key.threads},
          {"read_bytes_per_second", probe.read_bytes_per_second},
          {"loop_seconds", probe.loop_seconds},
          {"cache_bytes", probe.cache_bytes},
          {"rates", std::move(rates)}};
}

// Throws what nlohmann::json throws for values of other types.
std::optional<ComputeProbe> FromJson(const json& stored) {
  if (stored.at("version").get<int>() != kComputeProbeVersion) return std::nullopt;
  ComputeProbe probe;
  probe.key = {.processor = stored.at("processor").get<std::string>(),
               .kernels = stored.at("kernels").get<std::string>(),
               .threads = stored.at("threads").get<std::uint32_t>()};
  probe.read_bytes_per_second = stored.at("read_bytes_per_second").get<double>();
  probe.loop_seconds = stored.at("loop_seconds").get<double>();
  probe.cache_bytes = stored.at("cache_bytes").get<std::uint64_t>();
  if (!IsRate(probe.read_bytes_per_second) || !IsRate(probe.loop_seconds)) return std::nullopt;
  const json& rates = stored.at("rates");
  if (!rates.is_array() || rates.size() > kTensorTypeCount) return std::nullopt;
  for (const json& one : rates) {
    const TensorTypeTraits* const traits = FindTensorType(one.at("type").get<std::string>());
    if (traits == nullptr) return std::nullopt;
    const ComputeRate rate = {
        .type = traits->type,
        .memory_bytes_per_second = one.at("memory_bytes_per_second").get<double>(),
        .cache_bytes_per_second = one.at("cache_bytes_per_second").get<double>()};
    if (!IsRate(rate.memory_bytes_per_second) || !IsRate(rate.cache_bytes_per_second))
      return std::nullopt;
    probe.rates.push_back(rate);
  }
  return probe;
}

}  // namespace

std::string ComputeStorePath(const std::string& directory, const ComputeKey& key) {
  return directory + "/compute-probe-" + key.kernels + "-" + std::to_string(key.threads) + ".json";
}

std::optional<ComputeProbe> ReadComputeProbe(const std::string& path, const ComputeKey& key) {
  const std::optional<json> stored = ReadStateJson(path);
  if (!stored) return std::nullopt;
  try {
    std::optional<ComputeProbe> probe = FromJson(*stored);
    if (probe && !(probe->key == key)) return std::nullopt;
    return probe;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Status WriteComputeProbe(const std::string& path, const ComputeProbe& probe) {
  return WriteWholeFile(path, ToJson(probe).dump(2) + "\n", {.make_folders = true});
}

}  // namespace edgemoe
