// SPDX-License-Identifier: Apache-2.0
//
// pack: the daemon works, this shows how far it is.
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "client/cli/byte_size.h"
#include "client/cli/commands.h"
#include "client/cli/json.h"

namespace edgemoe::cli {
namespace {

std::string Bytes(std::uint64_t bytes) { return FormatByteSize(static_cast<double>(bytes)); }

// The daemon has a working folder of its own.
std::string Absolute(const std::string& path) {
  if (path.empty()) return path;
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

std::string ProgressText(const v1::PackProgress& progress) {
  const std::uint64_t total = progress.bytes_total();
  char percent[32];
  std::snprintf(
      percent, sizeof(percent), "%.0f %%",
      total == 0 ? 100
                 : 100 * static_cast<double>(progress.bytes_done()) / static_cast<double>(total));
  std::string text = std::string(percent) + " of " + Bytes(total);
  if (progress.phase() == v1::FINISHING) return text + ", waiting for the disk";
  if (progress.has_seconds_left()) {
    char left[48];
    std::snprintf(left, sizeof(left), ", %.0f s left", progress.seconds_left());
    text += left;
  }
  if (progress.bytes_resumed() > 0) text += ", went on at " + Bytes(progress.bytes_resumed());
  return text;
}

std::string ReportText(const v1::PackReport& report) {
  std::string text = report.output_path() + ": " + Bytes(report.file_bytes()) + ", " +
                     std::to_string(report.layer_count()) + " layers of " +
                     std::to_string(report.expert_count()) + " experts";
  if (report.resumed_bytes() > 0)
    text += ", of which " + Bytes(report.resumed_bytes()) + " were there from an earlier run";
  return text + "\nsource digest " + report.source_digest();
}

}  // namespace

ExitCode Run(const CommonOptions& options, PackCommand command) {
  command.request.set_source_path(Absolute(command.request.source_path()));
  command.request.set_output_path(Absolute(command.request.output_path()));
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  client::PackStream stream = session.client().Pack(command.request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  v1::PackReport report;
  const client::Status status = stream.ForEach([&](const v1::PackResponse& message) {
    if (options.json) return WriteOut(ToJson(message) + "\n");
    if (message.has_progress()) session.status_line().Show(ProgressText(message.progress()));
    if (message.has_report()) report = message.report();
    return true;
  });
  session.status_line().Clear();
  if (watch.interrupted()) {
    if (!options.json)
      std::fputs("edgemoe: interrupted; the same command goes on from here\n", stderr);
    return ExitCode::kInterrupted;
  }
  if (!status.ok()) return session.Fail(status);
  return options.json ? ExitCode::kOk : WriteLine(ReportText(report));
}

}  // namespace edgemoe::cli
