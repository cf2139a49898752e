// SPDX-License-Identifier: Apache-2.0
#include "client/cli/commands/repository_command.h"

#include <string_view>

#include "client/cli/commands/hub_environment.h"
#include "client/cli/commands/repository_text.h"
#include "client/cli/json.h"

namespace edgemoe::cli {

namespace {

// Whether the daemon cannot take it for a repository's name, or would not look.
bool IsNoAnswer(const client::Status& status) {
  return (status.code == client::StatusCode::kInvalidArgument && status.field == "model") ||
         status.reason == "ADMINISTRATOR_NEEDED";
}

}  // namespace

bool NamesRepository(const std::string& name) {
  return name.starts_with("hf.co/") || name.starts_with("huggingface.co/") ||
         name.find("://") != std::string::npos;
}

ExitCode ShowRepository(Session& session, const std::string& name, const client::Status& not_here) {
  v1::PlanRepositoryRequest request;
  request.set_model(name);
  SetHubFromEnvironment(request);
  client::RepositoryStream stream = session.client().PlanRepository(request);
  const InterruptWatch watch(session.interrupts(), [&stream] { stream.Cancel(); });
  const bool json = session.options().json;
  session.status_line().Show("reading headers of " + name);
  bool has_headings = false;
  v1::RepositoryRecommendation recommendation;
  const client::Status status = stream.ForEach([&](const v1::PlanRepositoryResponse& message) {
    if (message.has_recommendation()) recommendation = message.recommendation();
    if (json) return WriteOut(ToJson(message) + "\n");
    session.status_line().Clear();
    std::string text = has_headings || !message.has_model() ? "" : RepositoryHeadings();
    has_headings = has_headings || message.has_model();
    text += message.has_model() ? RepositoryRow(message.model())
                                : RecommendationText(message.recommendation());
    const bool is_written = WriteOut(text);
    if (message.has_model()) session.status_line().Show("reading headers of " + name);
    return is_written;
  });
  session.status_line().Clear();
  if (watch.interrupted()) return session.Interrupted();
  if (!status.ok()) return session.Fail(!not_here.ok() && IsNoAnswer(status) ? not_here : status);
  return recommendation.pull_name().empty() ? ExitCode::kDoesNotFit : ExitCode::kOk;
}

}  // namespace edgemoe::cli
