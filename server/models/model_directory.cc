// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_directory.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "engine/base/split_name.h"
#include "engine/describe.h"

namespace edgemoe {

Result<std::vector<ModelFile>> ListModelFiles(
    const std::string& directory,
    const std::function<EngineOptions(const std::string&)>& options_of) {
  std::vector<ModelFile> files;
  if (directory.empty()) return files;
  std::error_code error;
  std::vector<std::string> paths;
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
  for (std::string& path : paths) {
    auto description = DescribeModel(options_of(path));
    std::string name =
        description ? description->name : std::filesystem::path(path).stem().string();
    files.push_back(
        {.name = std::move(name), .path = std::move(path), .description = std::move(description)});
  }
  return files;
}

bool IsLaterPart(const std::string& file_name) {
  const auto split = ParseSplitName(file_name);
  return split && split->part != 1;
}

}  // namespace edgemoe
