// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/facts/daemon_answers.h"

#include <utility>

namespace edgemoe::cli {
namespace {

template <class T>
std::optional<T> Take(client::Result<T> result, client::Status& status) {
  if (result) return *std::move(result);
  status = result.error();
  return std::nullopt;
}

}  // namespace

DaemonAnswers AskDaemon(client::Client& client) {
  DaemonAnswers answers;
  answers.stats = Take(client.GetStats(), answers.served);
  if (!answers.stats) return answers;
  client::Status ignored;
  answers.model = Take(client.GetModel(""), ignored);
  answers.plan = Take(client.Plan(v1::PlanRequest()), ignored);
  answers.probe = Take(client.Probe(v1::ProbeRequest()), answers.probed);
  return answers;
}

}  // namespace edgemoe::cli
