// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/cli/session.h"

namespace edgemoe::cli {

// Whether a name is a repository's or a URL: no model of this machine has such a one.
bool NamesRepository(const std::string& name);

// Shows what this machine could do with each model there, as it is planned. After Connect.
ExitCode ShowRepository(Session& session, const std::string& name);

}  // namespace edgemoe::cli
