// SPDX-License-Identifier: Apache-2.0
#include "server/process/start_check.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "server/listen/unix_listener.h"
#include "server/process/engine_options.h"
#include "server/process/log.h"
#include "server/process/model_choice.h"

namespace edgemoe {

Result<std::string> SocketPath(const Config& config) {
  if (!config.listen.unix_socket.empty()) return config.listen.unix_socket;
  return DefaultSocketPath(std::getenv("RUNTIME_DIRECTORY"), std::getenv("XDG_RUNTIME_DIR"),
                           ::geteuid());
}

Result<PeerPolicy> AdmittedPeers(const Config& config) {
  const Config::Listen& listen = config.listen;
  return PeerPolicy::Make(::geteuid(), {.users = listen.allow_users,
                                        .groups = listen.allow_groups,
                                        .admin_users = listen.admin_users,
                                        .admin_groups = listen.admin_groups});
}

StartProblem ModelProblem(const Config& config, const Status& status) {
  const OptionError error = InConfiguration(status);
  return {.message = "model '" + config.engine.model_path +
                     "' cannot be served: " + error.status.message(),
          .exit_code = ExitCodeForOpenFailure(error.status, error.is_option)};
}

StartCheck CheckStart(const Config& config, const CheckEngine& check_engine) {
  StartCheck check{.problems = {}, .in_force = config};
  const auto cannot_listen = [&check](const Status& status) {
    check.problems.push_back({status.message(), ExitCodeForListenFailure(status)});
  };
  auto socket = SocketPath(config);
  if (!socket) {
    cannot_listen(socket.error());
  } else {
    if (const Status status = UnixListener::Check(*socket); !status.ok()) cannot_listen(status);
    check.in_force.listen.unix_socket = *std::move(socket);
  }
  if (const auto peers = AdmittedPeers(config); !peers) cannot_listen(peers.error());

  check.in_force.engine.state_directory = ToEngineOptions(config, {}).state_directory;
  check.in_force.memory.adapt = MemoryAdapts(config) ? "on" : "off";
  check.in_force.log.target = LogTarget(config.log);
  if (config.engine.model_path.empty()) return check;
  if (auto found = WithModelPath(config, FindModelPlaces(config, {})); !found) {
    check.problems.push_back(ModelProblem(config, found.error()));
  } else if (auto engine = check_engine(ToEngineOptions(*found, {}))) {
    check.in_force.engine = *std::move(engine);
  } else {
    check.problems.push_back(ModelProblem(config, engine.error()));
  }
  return check;
}

}  // namespace edgemoe
