// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"

#include <sched.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "engine/base/system/errno_status.h"
#include "engine/base/system/processor.h"
#include "engine/base/system/usable_memory.h"
#include "engine/probe.h"

namespace edgemoe::bench {
namespace {

Json Machine() {
  struct utsname kernel = {};
  ::uname(&kernel);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const bool known = ::sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
  return {{"processor", ProcessorName()},
          {"cores", known ? CPU_COUNT(&allowed) : 0},
          {"usable_memory_bytes", UsableMemoryBytes()},
          {"kernel", std::string(kernel.sysname) + " " + kernel.release},
          {"architecture", kernel.machine}};
}

}  // namespace

Json NewJson(const std::string& command, const Settings& settings) {
  return {{"command", command},
          {"command_line", settings.command_line},
          {"version", EDGEMOE_VERSION},
          {"machine", Machine()}};
}

Json ToJson(const ModelDescription& model) {
  return {{"name", model.name},
          {"path", model.path},
          {"architecture", model.architecture},
          {"quantisation", model.quantisation},
          {"file_bytes", model.file_bytes},
          {"parameter_count", model.parameter_count},
          {"layer_count", model.layer_count},
          {"expert_count", model.expert_count},
          {"expert_used_count", model.expert_used_count}};
}

Json ToJson(const ProbeReport& probe) {
  Json points = Json::array();
  for (const ProbeReport::Point& point : probe.points)
    points.push_back({{"read_bytes", point.read_bytes},
                      {"depth", point.depth},
                      {"bytes_per_second", point.bytes_per_second}});
  return {{"device", probe.device},
          {"file_system", probe.file_system},
          {"io_backend", probe.io_backend},
          {"direct", probe.direct},
          {"bytes_per_second", probe.bytes_per_second},
          {"small_read_ns", probe.small_read_ns},
          {"read_bytes", probe.read_bytes},
          {"depth", probe.depth},
          {"in_flight_bytes_max", probe.in_flight_bytes_max},
          {"note", probe.note},
          {"points", std::move(points)}};
}

Status Write(const Report& report, const Settings& settings) {
  const std::string json = report.json.dump(2) + "\n";
  const std::string& text = settings.json == "-" ? json : report.text;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return ErrnoStatus(errno, "standard output");
  if (settings.json.empty() || settings.json == "-") return OkStatus();
  std::ofstream file(settings.json, std::ios::trunc);
  file << json << std::flush;
  if (!file) return InvalidArgumentError("--json: cannot write " + settings.json);
  return OkStatus();
}

void Say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace edgemoe::bench
