// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_directory.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

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
  constexpr std::string_view kShape = "-ddddd-of-ddddd.gguf";
  if (file_name.size() < kShape.size()) return false;
  const std::string_view tail =
      std::string_view(file_name).substr(file_name.size() - kShape.size());
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (kShape[i] == 'd' ? !digit : tail[i] != kShape[i]) return false;
  }
  return tail.substr(1, 5) != "00001";
}

}  // namespace edgemoe
