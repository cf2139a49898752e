// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

constexpr std::size_t kModelFilesMax = 256;  // shown of one directory

// The GGUF files of a directory, sorted: the first kModelFilesMax of them, of a split model the
// first part only. Empty for an empty name. NOT_FOUND, PERMISSION_DENIED name the directory.
Result<std::vector<std::string>> ListModelPaths(const std::string& directory);

// Whether a file's name is that of a part of a split model other than the first:
// "x-00002-of-00004.gguf".
bool IsLaterPart(const std::string& file_name);

}  // namespace edgemoe
