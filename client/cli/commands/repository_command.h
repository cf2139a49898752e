// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/cli/session.h"

namespace edgemoe::cli {

// Whether a name is a repository's or a URL: no model of this machine has such a one.
bool NamesRepository(const std::string& name);

// Shows what this machine could do with each model there, as it is planned. After Connect.
// `not_here`: what to report where the name is none of a repository either, or this user may not
// ask; OK: what the daemon says.
ExitCode ShowRepository(Session& session, const std::string& name, const client::Status& not_here);

}  // namespace edgemoe::cli
