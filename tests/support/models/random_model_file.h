// SPDX-License-Identifier: Apache-2.0
//
// Random models as files of any size. Both write the file whole or not at all, in the place of one
// that is there. Errors are those of ErrnoStatus and name the path.
#pragma once

#include <string>

#include "engine/base/status.h"
#include "tests/support/models/random_model.h"

namespace edgemoe {

// The bytes of RandomModelBytes, row by row: memory for the header and a few MiB.
Status WriteRandomModel(const std::string& path, const RandomModelOptions& options);
// The header alone in a file of the full size that takes no room on the disk: for what looks at
// headers only. Its weights read as zeros.
Status WriteRandomModelHeader(const std::string& path, const RandomModelOptions& options);

}  // namespace edgemoe
