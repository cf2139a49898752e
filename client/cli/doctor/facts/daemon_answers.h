// SPDX-License-Identifier: Apache-2.0
//
// What a running daemon knows better than we do.
#pragma once

#include <optional>
#include <string>

#include "client/client.h"

namespace edgemoe::cli {

struct DaemonAnswers {
  client::Status connected;  // why nobody answers; what follows is then empty
  client::Status served;     // why no model is served; `stats` is then empty
  std::optional<v1::GetStatsResponse> stats;
  std::optional<v1::Model> model;        // the loaded one
  std::optional<v1::PlanResponse> plan;  // the one in force
  client::Status probed;                 // why the storage's speed is not told
  std::optional<v1::ProbeResponse> probe;
};

// Each is asked once. Where nothing is kept of the storage, the daemon measures it, which takes
// about a second.
DaemonAnswers AskDaemon(client::Client& client);

}  // namespace edgemoe::cli
