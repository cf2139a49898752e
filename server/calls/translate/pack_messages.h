// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "edgemoe/v1/models.pb.h"
#include "engine/pack.h"
#include "server/jobs/pack_runner.h"

namespace edgemoe {

// The job that a request asks for, with paths as models.proto allows them: the daemon writes with
// rights of its own, so only where models lie, and reads regular files alone. Looks at folders.
// INVALID_ARGUMENT, PERMISSION_DENIED and NOT_FOUND name the field, what was found and what is
// accepted. Which options go together is the engine's to judge.
Result<PackOptions> ToPackOptions(const v1::PackRequest& request,
                                  const std::string& models_directory);

v1::PackProgress ToApi(const PackStep& step);
v1::PackReport ToApi(const PackReport& report);

}  // namespace edgemoe
