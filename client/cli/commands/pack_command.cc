// SPDX-License-Identifier: Apache-2.0
//
// pack: the daemon works, this shows how far it is.
#include <filesystem>
#include <system_error>
#include <utility>

#include "client/cli/commands/commands.h"
#include "client/cli/commands/pack_text.h"
#include "client/cli/commands/progress_lines.h"
#include "client/cli/json.h"

namespace edgemoe::cli {
namespace {

// The daemon has a working folder of its own.
std::string Absolute(const std::string& path) {
  if (path.empty()) return path;
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// What is no file here, and does not look like one, is a model's name.
std::string SourceOf(const std::string& typed) {
  std::error_code ignored;
  const bool is_path = typed.starts_with('/') || typed.starts_with('.') ||
                       typed.ends_with(".gguf") || std::filesystem::exists(typed, ignored);
  return is_path ? Absolute(typed) : typed;
}

// One attempt.
struct Attempt {
  client::Status status;
  v1::PackReport report;
  bool received = false;
  bool interrupted = false;
};

Attempt RunJob(Session& session, const v1::PackRequest& request) {
  Attempt attempt;
  ProgressLines lines;
  client::PackStream stream = session.client().Pack(request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  attempt.status = stream.ForEach([&](const v1::PackResponse& message) {
    attempt.received = true;
    if (session.options().json) return WriteOut(ToJson(message) + "\n");
    if (message.has_progress() && session.status_line().enabled())
      session.status_line().Show(PackProgressText(message.progress()));
    else if (message.has_progress())
      lines.Tell(v1::PackPhase_Name(message.progress().phase()),
                 PackProgressText(message.progress()));
    if (message.has_report()) attempt.report = message.report();
    return true;
  });
  session.status_line().Clear();
  attempt.interrupted = watch.interrupted();
  return attempt;
}

}  // namespace

ExitCode Run(const CommonOptions& options, PackCommand command) {
  v1::PackRequest& request = command.request;
  request.set_source_path(SourceOf(request.source_path()));
  request.set_output_path(Absolute(request.output_path()));
  request.set_calibration_path(Absolute(request.calibration_path()));
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  Attempt attempt = RunJob(session, request);
  // There is no memory for a job with a target before the daemon's own model is loaded.
  while (!attempt.interrupted && !attempt.received && session.WaitToRetry(attempt.status))
    attempt = RunJob(session, request);
  if (attempt.interrupted) {
    if (!options.json)
      std::fputs("edgemoe: interrupted; the same command goes on from here\n", stderr);
    return session.Interrupted();
  }
  if (attempt.status.code == client::StatusCode::kAlreadyExists)
    attempt.status.message += ": --overwrite";
  if (!attempt.status.ok()) return session.Fail(attempt.status);
  return options.json ? ExitCode::kOk : WriteLine(PackReportText(attempt.report));
}

}  // namespace edgemoe::cli
