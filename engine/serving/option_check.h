// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "engine/base/status.h"
#include "engine/options.h"

namespace edgemoe {

// INVALID_ARGUMENT names the option, the value found and the range. Looks at no file.
Status ValidateOptions(const EngineOptions& options);

// Computing threads that `options` ask for, on this machine.
std::size_t ThreadCount(const EngineOptions& options);

}  // namespace edgemoe
