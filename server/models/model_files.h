// SPDX-License-Identifier: Apache-2.0
//
// Changes what is in the models' directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace edgemoe {

// The files of the model whose first or only file is `path`, in the order of their parts: those
// that are there.
std::vector<std::string> FilesOfModel(const std::string& path);

// Links `path`, a GGUF file or the first part of a split one, into the directory; gives the link's
// path. All parts or none are linked, the first one last. Errors name the path: INVALID_ARGUMENT,
// NOT_FOUND, PERMISSION_DENIED, ALREADY_EXISTS.
Result<std::string> LinkModel(const std::string& path, const std::string& directory);

struct RemovedFiles {
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;  // given back: none for links, nor for files with a further name
};

// Removes `files`, the first one first: without it the others are no model. Stops at an error,
// which names the file; what is gone is gone, and the same again goes on.
Result<RemovedFiles> RemoveFiles(const std::vector<std::string>& files);

}  // namespace edgemoe
