// SPDX-License-Identifier: Apache-2.0
//
// completion, manual.
#include "client/cli/commands/commands.h"
#include "client/cli/json.h"

namespace edgemoe::cli {

ExitCode Run(const CommonOptions&, const ReferenceCommand& command) { return Write(command.text); }

}  // namespace edgemoe::cli
