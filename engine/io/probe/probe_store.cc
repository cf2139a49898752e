// SPDX-License-Identifier: Apache-2.0
#include "engine/io/probe/probe_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/system/whole_file.h"
#include "engine/io/state_json.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr std::size_t kPointsMax = 64;

json ToJson(const DeviceProbe& probe) {
  json points = json::array();
  for (const ProbePoint& point : probe.points)
    points.push_back({{"read_bytes", point.read_bytes},
                      {"depth", point.depth},
                      {"bytes_per_second", point.bytes_per_second}});
  return {{"version", kProbeVersion},
          {"device", probe.key.device},
          {"file_system", probe.key.file_system},
          {"backend_asked", probe.key.backend},
          {"backend", probe.backend},
          {"direct", probe.direct},
          {"small_read_ns", probe.small_read_ns},
          {"cpu_seconds_per_byte", probe.cpu_seconds_per_byte},
          {"note", probe.note},
          {"points", std::move(points)}};
}

// Throws what nlohmann::json throws for values of other types.
std::optional<DeviceProbe> FromJson(const json& stored) {
  if (stored.at("version").get<int>() != kProbeVersion) return std::nullopt;
  DeviceProbe probe;
  probe.key = {.device = stored.at("device").get<std::string>(),
               .file_system = stored.at("file_system").get<std::string>(),
               .backend = stored.at("backend_asked").get<std::string>()};
  probe.backend = stored.at("backend").get<std::string>();
  probe.direct = stored.at("direct").get<bool>();
  probe.small_read_ns = stored.at("small_read_ns").get<std::uint64_t>();
  probe.cpu_seconds_per_byte = stored.at("cpu_seconds_per_byte").get<double>();
  // Also not a number that is none.
  if (!(probe.cpu_seconds_per_byte >= 0)) return std::nullopt;
  probe.note = stored.at("note").get<std::string>();
  const json& points = stored.at("points");
  if (!points.is_array() || points.empty() || points.size() > kPointsMax) return std::nullopt;
  for (const json& stored_point : points) {
    const ProbePoint point{.read_bytes = stored_point.at("read_bytes").get<std::uint32_t>(),
                           .depth = stored_point.at("depth").get<std::uint32_t>(),
                           .bytes_per_second = stored_point.at("bytes_per_second").get<double>()};
    // What is chosen from them goes into the reader: no other value may.
    if (point.read_bytes == 0 || point.read_bytes % kReadAlignment != 0 ||
        point.read_bytes > kReadBytesMax || point.depth == 0 || point.depth > 4096 ||
        !(point.bytes_per_second > 0))
      return std::nullopt;
    probe.points.push_back(point);
  }
  ChooseReadShape(probe);
  return probe;
}

}  // namespace

std::string ProbeStorePath(const std::string& directory, const StorageKey& key) {
  std::string name = "device-probe-" + key.device + "-" + key.file_system + "-" + key.backend;
  std::ranges::replace(name, ':', '_');
  return directory + "/" + name + ".json";
}

std::optional<DeviceProbe> ReadProbe(const std::string& path, const StorageKey& key) {
  const std::optional<json> stored = ReadStateJson(path);
  if (!stored) return std::nullopt;
  try {
    std::optional<DeviceProbe> probe = FromJson(*stored);
    if (probe && !(probe->key == key)) return std::nullopt;
    return probe;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Status WriteProbe(const std::string& path, const DeviceProbe& probe) {
  return WriteWholeFile(path, ToJson(probe).dump(2) + "\n", {.make_folders = true});
}

}  // namespace edgemoe
