// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/describe.h"

namespace edgemoe {

constexpr std::size_t kModelFilesMax = 256;  // shown of one directory

struct ModelFile {
  std::string name;  // the model's when it can be read, else the file's without .gguf
  std::string path;
  Result<ModelDescription> description;
};

// The GGUF files of a directory, by path: the first kModelFilesMax of them, of a split model the
// first part only. Empty for an empty name. NOT_FOUND, PERMISSION_DENIED name the directory. Reads
// the header of each file.
// `options_of`: what a file would be loaded with.
Result<std::vector<ModelFile>> ListModelFiles(
    const std::string& directory,
    const std::function<EngineOptions(const std::string&)>& options_of);

// Whether a file's name is that of a part of a split model other than the first:
// "x-00002-of-00004.gguf".
bool IsLaterPart(const std::string& file_name);

}  // namespace edgemoe
