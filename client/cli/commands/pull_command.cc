// SPDX-License-Identifier: Apache-2.0
//
// pull: the daemon sees to the download, this shows how far it is.
#include <chrono>
#include <cstdio>
#include <string>

#include "client/cli/commands/commands.h"
#include "client/cli/commands/hub_environment.h"
#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

std::string Bytes(std::uint64_t bytes) { return SizeText(static_cast<double>(bytes)); }

std::string Duration(double seconds) {
  char text[64];
  if (seconds < 100) {
    std::snprintf(text, sizeof(text), "%.0f s", seconds);
  } else if (seconds < 6000) {
    std::snprintf(text, sizeof(text), "%.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof(text), "%.1f h", seconds / 3600);
  }
  return text;
}

// "m-Q4_K_M.gguf (1 of 2): 1.00 GiB of 18.00 GiB, 80.00 MiB/s, 4 min left".
std::string ProgressText(const v1::PullProgress& progress) {
  std::string text = progress.file_name();
  if (progress.file_count() > 1)
    text += " (" + std::to_string(progress.file_number()) + " of " +
            std::to_string(progress.file_count()) + ")";
  text += ": " + Bytes(progress.done_bytes());
  if (progress.total_bytes() > 0) text += " of " + Bytes(progress.total_bytes());
  if (progress.checking()) return text + ", checking its SHA-256";
  if (progress.has_bytes_per_second()) text += ", " + SizeText(progress.bytes_per_second()) + "/s";
  if (progress.has_seconds_left()) text += ", " + Duration(progress.seconds_left()) + " left";
  return text;
}

std::string ReportText(const v1::PullReport& report) {
  std::string text = report.paths().empty() ? std::string("nothing") : report.paths(0);
  if (report.paths_size() > 1) text += " and " + std::to_string(report.paths_size() - 1) + " more";
  text += ": " + Bytes(report.bytes());
  if (report.was_there()) return text + ", was there already";
  if (report.resumed_bytes() > 0)
    text += ", of which " + Bytes(report.resumed_bytes()) + " were there from an earlier download";
  return text + (report.verified() ? "; its SHA-256 is right" : "; there was no SHA-256 to check");
}

ExitCode Cancel(Session& session) {
  const client::Status status = session.client().CancelPull();
  if (!status.ok()) return session.Fail(status);
  return session.options().json ? WriteLine("{}") : WriteLine("the download ends");
}

}  // namespace

ExitCode Run(const CommonOptions& options, PullCommand command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  if (command.cancel) return Cancel(session);
  SetHubFromEnvironment(command.request);
  client::PullStream stream = session.client().Pull(command.request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  v1::PullReport report;
  auto told_at = std::chrono::steady_clock::time_point::min();
  const client::Status status = stream.ForEach([&](const v1::PullResponse& message) {
    if (options.json) return WriteOut(ToJson(message) + "\n");
    if (message.has_report()) report = message.report();
    if (!message.has_progress()) return true;
    const std::string text = ProgressText(message.progress());
    const auto now = std::chrono::steady_clock::now();
    if (session.status_line().enabled()) {
      session.status_line().Show(text);
    } else if (told_at == std::chrono::steady_clock::time_point::min() ||
               now - told_at >= std::chrono::minutes(1)) {  // no line can be overwritten
      told_at = now;
      std::fprintf(stderr, "edgemoe: %s\n", text.c_str());
    }
    return true;
  });
  session.status_line().Clear();
  if (watch.interrupted()) {
    if (!options.json)
      std::fputs(
          "edgemoe: the download goes on; the same command shows it again, and "
          "`edgemoe pull --cancel` ends it\n",
          stderr);
    return session.Interrupted();
  }
  if (!status.ok()) return session.Fail(status);
  return options.json ? ExitCode::kOk : WriteLine(ReportText(report));
}

}  // namespace edgemoe::cli
