// SPDX-License-Identifier: Apache-2.0
#include "server/process/start_check.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "server/listen/unix_listener.h"
#include "server/process/engine_options.h"
#include "server/process/log.h"
#include "server/process/model_choice.h"

namespace edgemoe {
namespace {

// What is to be done so that we may read a file: for the first folder on the way that we may not
// enter, or for the file itself. Empty where we may.
std::string HowToLetIn(const std::string& path) {
  const uid_t uid = ::geteuid();
  const passwd* const entry = ::getpwuid(uid);
  const std::string user = entry != nullptr ? entry->pw_name : std::to_string(uid);
  const auto may = [](const std::string& at, int what) {
    return ::faccessat(AT_FDCWD, at.c_str(), what, AT_EACCESS) == 0;
  };
  const auto let = [&user](const std::string& what, const std::string& rights,
                           const std::string& at) {
    return "; user " + user + " may not " + what + " " + at + ": `setfacl -m u:" + user + ":" +
           rights + " '" + at + "'` as its owner lets it, or move the model to models.directory";
  };
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    if (const std::string folder = path.substr(0, slash); !may(folder, X_OK))
      return let("enter", "x", folder);
  return may(path, R_OK) ? "" : let("read", "r", path);
}

}  // namespace

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
  const bool is_shut = status.code() == StatusCode::kPermissionDenied;
  return {.message = "model '" + config.engine.model_path + "' cannot be served: " +
                     error.status.message() + (is_shut ? HowToLetIn(config.engine.model_path) : ""),
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
