// SPDX-License-Identifier: Apache-2.0
#include "engine/io/probe_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "engine/base/errno_status.h"
#include "engine/base/unique_fd.h"

namespace edgemoe {
namespace {

using nlohmann::json;

constexpr std::uint64_t kStoreBytesMax = 64 * 1024;
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

Status WriteAll(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "write: " + path);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(fd) != 0) return ErrnoStatus(errno, "sync: " + path);
  return OkStatus();
}

}  // namespace

std::string ProbeStorePath(const std::string& directory, const StorageKey& key) {
  std::string name = "device-probe-" + key.device + "-" + key.file_system + "-" + key.backend;
  std::ranges::replace(name, ':', '_');
  return directory + "/" + name + ".json";
}

std::optional<DeviceProbe> ReadProbe(const std::string& path, const StorageKey& key) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error || bytes > kStoreBytesMax) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const json stored = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!stored.is_object()) return std::nullopt;
  try {
    std::optional<DeviceProbe> probe = FromJson(stored);
    if (probe && !(probe->key == key)) return std::nullopt;
    return probe;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Status WriteProbe(const std::string& path, const DeviceProbe& probe) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return ErrnoStatus(error.value(), "make the folder of " + path);
  // A name of this process's own: two that probe at once do not write into one file.
  const std::string partial_path = path + "." + std::to_string(::getpid()) + ".partial";
  UniqueFd fd(::open(partial_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, "create: " + partial_path);
  Status status = WriteAll(fd.get(), ToJson(probe).dump(2) + "\n", partial_path);
  if (status.ok() && std::rename(partial_path.c_str(), path.c_str()) != 0)
    status = ErrnoStatus(errno, "rename: " + partial_path + " to " + path);
  if (!status.ok()) ::unlink(partial_path.c_str());
  return status;
}

}  // namespace edgemoe
