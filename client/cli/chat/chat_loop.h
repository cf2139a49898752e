// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "client/cli/session.h"
#include "client/cli/terminal/exit_code.h"
#include "client/cli/tools/tool_box.h"
#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

// A conversation at a terminal, until whoever types leaves it. `request`: settings, tools and the
// system message, if there is one. After an error it goes on as if the question had not been asked.
ExitCode RunChatLoop(Session& session, v1::ChatRequest request, const ToolBox& tools);

}  // namespace edgemoe::cli
