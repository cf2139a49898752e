// SPDX-License-Identifier: Apache-2.0
//
// What starting needs to find right. The daemon starts with these functions, and --check-config and
// --print-config call them without starting.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "server/listen/peer_credentials.h"
#include "server/process/config.h"
#include "server/process/exit_codes.h"

namespace edgemoe {

// Where the unix socket is: as configured, else by RUNTIME_DIRECTORY, user and XDG_RUNTIME_DIR.
// FAILED_PRECONDITION where none of them says.
Result<std::string> SocketPath(const Config& config);

// Who may connect. INVALID_ARGUMENT names a user or group that the system does not know.
Result<PeerPolicy> AdmittedPeers(const Config& config);

// Why the model cannot be served, in the words of the configuration, and the exit code for it.
struct StartProblem {
  std::string message;
  ExitCode exit_code = ExitCode::kInternal;
};
// With what a person can do where the model may not be read.
StartProblem ModelProblem(const Config& config, const Status& status);

struct StartCheck {
  std::vector<StartProblem> problems;  // empty: starting would get as far as loading weights
  // With what was chosen in place of "auto" and of empty texts. Without a model that can be served
  // the engine's keys are as configured.
  Config in_force;
};
// Engine::Check, or a test's.
using CheckEngine = std::function<Result<EngineOptions>(EngineOptions options)>;
// Leaves everything as it is: a daemon may run on the same socket meanwhile.
StartCheck CheckStart(const Config& config, const CheckEngine& check_engine);

}  // namespace edgemoe
