// SPDX-License-Identifier: Apache-2.0
//
// The probe of the facade: measures, or remembers.
#include "engine/probe.h"

#include <optional>
#include <utility>

#include "engine/base/clock.h"
#include "engine/io/probe/device_probe.h"
#include "engine/io/probe/probe_store.h"

namespace edgemoe {
namespace {

ProbeReport ToReport(DeviceProbe probe) {
  ProbeReport report;
  report.device = std::move(probe.key.device);
  report.file_system = std::move(probe.key.file_system);
  report.io_backend = std::move(probe.backend);
  report.direct = probe.direct;
  for (const ProbePoint& point : probe.points)
    report.points.push_back({.read_bytes = point.read_bytes,
                             .depth = point.depth,
                             .bytes_per_second = point.bytes_per_second});
  report.bytes_per_second = probe.bytes_per_second;
  report.small_read_ns = probe.small_read_ns;
  report.read_bytes = probe.read_bytes;
  report.depth = probe.depth;
  report.in_flight_bytes_max = probe.in_flight_bytes;
  report.note = std::move(probe.note);
  return report;
}

}  // namespace

Result<ProbeReport> ProbeStorage(const ProbeOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(const StorageFile file, StorageFile::Open(options.path));
  EDGEMOE_ASSIGN_OR_FAIL(const StorageKey key, DescribeStorage(file, options.io_backend));
  const bool keeps = !options.state_directory.empty();
  const std::string store = keeps ? ProbeStorePath(options.state_directory, key) : "";
  if (keeps && !options.fresh) {
    if (std::optional<DeviceProbe> probe = ReadProbe(store, key)) {
      ProbeReport report = ToReport(*std::move(probe));
      report.kept = true;
      return report;
    }
  }
  const SteadyClock clock;
  EDGEMOE_ASSIGN_OR_FAIL(DeviceProbe probe, ProbeFile(file, options.io_backend, clock));
  const Status written = keeps ? WriteProbe(store, probe) : OkStatus();
  ProbeReport report = ToReport(std::move(probe));
  // Measured all the same: the next probe measures anew.
  if (!written.ok()) report.note += (report.note.empty() ? "" : "; ") + written.message();
  return report;
}

}  // namespace edgemoe
