// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_directory.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "engine/base/split_name.h"

namespace edgemoe {

Result<std::vector<std::string>> ListModelPaths(const std::string& directory) {
  std::vector<std::string> paths;
  if (directory.empty()) return paths;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (const std::filesystem::directory_iterator end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() != ".gguf" || IsLaterPart(path.filename().string())) continue;
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    paths.push_back(path.string());
  }
  if (error) {
    const std::string message = "models.directory '" + directory + "': " + error.message();
    if (error == std::errc::permission_denied) return Failure(PermissionDeniedError(message));
    return Failure(NotFoundError(message));
  }
  std::ranges::sort(paths);
  if (paths.size() > kModelFilesMax) paths.resize(kModelFilesMax);
  return paths;
}

bool IsLaterPart(const std::string& file_name) {
  const auto split = ParseSplitName(file_name);
  return split && split->part != 1;
}

}  // namespace edgemoe
