// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "engine/base/status.h"

namespace edgemoe {

// The only place where an errno becomes a Status: "what: text of the error". `error` is positive.
// Codes: NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED (memory, descriptors, space), DATA_LOSS
// (the medium failed), UNAVAILABLE (may go away by itself), INVALID_ARGUMENT (the path or its
// kind), UNIMPLEMENTED (the kernel or the file system cannot do it), otherwise UNKNOWN.
// Thread-safe.
Status ErrnoStatus(int error, std::string_view what);

}  // namespace edgemoe
