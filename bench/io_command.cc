// SPDX-License-Identifier: Apache-2.0
#include "bench/commands.h"
#include "bench/text_table.h"
#include "engine/base/byte_size.h"
#include "engine/probe.h"

namespace edgemoe::bench {

Result<Report> Run(const IoCommand& command, const Settings& settings) {
  EDGEMOE_ASSIGN_OR_FAIL(const ProbeReport probe, ProbeStorage({.path = command.path,
                                                                .state_directory = "",
                                                                .fresh = true,
                                                                .io_backend = command.io_backend}));
  Report report{"", NewJson("io", settings)};
  report.json["path"] = command.path;
  report.json["storage"] = ToJson(probe);
  TextTable table({"read", "in flight", "MB/s"});
  for (const ProbeReport::Point& point : probe.points)
    table.Add({FormatByteSize(point.read_bytes), std::to_string(point.depth),
               Fixed(point.bytes_per_second / 1e6, 0)});
  report.text = table.Text() + "\ndevice " + probe.device + ", " + probe.file_system + ", " +
                probe.io_backend + "; a read of 4 KiB alone takes " +
                Fixed(static_cast<double>(probe.small_read_ns) * 1e-3, 0) +
                " us\nchosen: " + std::to_string(probe.depth) + " reads of " +
                FormatByteSize(probe.read_bytes) + " in flight, for 95 % of " +
                Fixed(probe.bytes_per_second / 1e6, 0) + " MB/s\n";
  if (!probe.note.empty()) report.text += "note: " + probe.note + "\n";
  return report;
}

}  // namespace edgemoe::bench
