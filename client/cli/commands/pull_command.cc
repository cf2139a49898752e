// SPDX-License-Identifier: Apache-2.0
//
// pull: the daemon sees to the download and to the pack that may follow, this shows how far they
// are.
#include <string>

#include "client/cli/commands/commands.h"
#include "client/cli/commands/hub_environment.h"
#include "client/cli/commands/pack_text.h"
#include "client/cli/commands/progress_lines.h"
#include "client/cli/json.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

// "m-Q4_K_M.gguf (1 of 2): 1.00 GiB of 18.00 GiB, 80.00 MiB/s, 4 min left".
std::string PullProgressText(const v1::PullProgress& progress) {
  std::string text = progress.file_name();
  if (progress.file_count() > 1)
    text += " (" + std::to_string(progress.file_number()) + " of " +
            std::to_string(progress.file_count()) + ")";
  text += ": " + SizeText(progress.done_bytes());
  if (progress.total_bytes() > 0) text += " of " + SizeText(progress.total_bytes());
  if (progress.checking()) return text + ", checking its SHA-256";
  if (progress.has_bytes_per_second()) text += ", " + SizeText(progress.bytes_per_second()) + "/s";
  if (progress.has_seconds_left()) text += ", " + DurationText(progress.seconds_left()) + " left";
  return text;
}

std::string ReportText(const v1::PullReport& report) {
  std::string text = report.paths().empty() ? std::string("nothing") : report.paths(0);
  if (report.paths_size() > 1) text += " and " + std::to_string(report.paths_size() - 1) + " more";
  text += ": " + SizeText(report.bytes());
  if (!report.linked_files().empty()) text += ", by a link to " + report.linked_files(0);
  if (report.linked_files_size() > 1)
    text += " and " + std::to_string(report.linked_files_size() - 1) + " more";
  if (report.was_there()) text += ", was there already";
  if (report.resumed_bytes() > 0)
    text +=
        ", of which " + SizeText(report.resumed_bytes()) + " were there from an earlier download";
  return text + (report.verified() ? "; its SHA-256 is right" : "; there was no SHA-256 to check");
}

ExitCode Cancel(Session& session) {
  const client::Status status = session.client().CancelPull();
  if (!status.ok()) return session.Fail(status);
  return session.options().json ? WriteLine("{}") : WriteLine("the pull ends");
}

// Shows what comes; what is for standard output is written at once, as more may follow.
class PullView {
 public:
  explicit PullView(Session& session) : session_(session) {}

  // False: standard output has gone; see written().
  bool Show(const v1::PullResponse& message) {
    if (session_.options().json) return WriteOut(ToJson(message) + "\n");
    switch (message.message_case()) {
      case v1::PullResponse::kProgress: {
        const v1::PullProgress& progress = message.progress();
        Tell(progress.file_name() + (progress.checking() ? " checked" : ""),
             PullProgressText(progress));
        return true;
      }
      case v1::PullResponse::kPackProgress:
        Tell("phase " + std::to_string(message.pack_progress().phase()),
             PackProgressText(message.pack_progress()));
        return true;
      case v1::PullResponse::kReport: return Write(ReportText(message.report()));
      case v1::PullResponse::kPackReport: return Write(PackReportText(message.pack_report()));
      case v1::PullResponse::kPackFound:
        return Write(message.pack_found() +
                     ": was there already; `edgemoe pack --overwrite` writes another");
      case v1::PullResponse::MESSAGE_NOT_SET: break;
    }
    return true;
  }

  ExitCode written() const { return written_; }

 private:
  void Tell(const std::string& what, const std::string& text) {
    if (session_.status_line().enabled()) return session_.status_line().Show(text);
    lines_.Tell(what, text);
  }
  bool Write(const std::string& text) {
    session_.status_line().Clear();
    written_ = WriteLine(text);
    return written_ == ExitCode::kOk;
  }

  Session& session_;
  ProgressLines lines_;
  ExitCode written_ = ExitCode::kOk;
};

}  // namespace

ExitCode Run(const CommonOptions& options, PullCommand command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  if (command.cancel) return Cancel(session);
  SetHubFromEnvironment(command.request);
  client::PullStream stream = session.client().Pull(command.request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  PullView view(session);
  const client::Status status =
      stream.ForEach([&view](const v1::PullResponse& message) { return view.Show(message); });
  session.status_line().Clear();
  if (watch.interrupted()) {
    if (!options.json)
      std::fputs(
          "edgemoe: the pull goes on; the same command shows it again, and "
          "`edgemoe pull --cancel` ends it\n",
          stderr);
    return session.Interrupted();
  }
  if (view.written() != ExitCode::kOk) return view.written();
  return status.ok() ? ExitCode::kOk : session.Fail(status);
}

}  // namespace edgemoe::cli
