// SPDX-License-Identifier: Apache-2.0
//
// ps, abort.
#include <cstdio>

#include "client/cli/commands/commands.h"
#include "client/cli/enum_text.h"
#include "client/cli/json.h"

namespace edgemoe::cli {
namespace {

std::string RequestsTable(const v1::ListRequestsResponse& response) {
  std::string table;
  char line[512];
  std::snprintf(line, sizeof(line), "%-16s %-8s %-8s %8s %8s %8s  %s\n", "REQUEST", "STATE", "CALL",
                "AGE", "PROMPT", "WRITTEN", "BY");
  table += line;
  for (const v1::Request& request : response.requests()) {
    std::snprintf(line, sizeof(line), "%-16s %-8s %-8s %7.1fs %8u %8u  %s\n",
                  request.request_id().c_str(), EnumText(request.state()).c_str(),
                  request.method().c_str(), request.age_seconds(), request.prompt_tokens(),
                  request.completion_tokens(), request.peer().c_str());
    table += line;
  }
  return table;
}

}  // namespace

ExitCode Run(const CommonOptions& options, const PsCommand&) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const auto requests = session.Retry([&] { return session.client().ListRequests(); });
  if (!requests) return session.Fail(requests.error());
  return options.json ? WriteLine(ToJson(*requests)) : Write(RequestsTable(*requests));
}

ExitCode Run(const CommonOptions& options, const AbortCommand& command) {
  Session session(options);
  if (const client::Status status = session.Connect(); !status.ok()) return session.Fail(status);
  const client::Status status = session.client().Abort(command.request_id);
  if (!status.ok()) return session.Fail(status);
  return options.json ? WriteLine("{}") : ExitCode::kOk;
}

}  // namespace edgemoe::cli
