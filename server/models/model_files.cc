// SPDX-License-Identifier: Apache-2.0
#include "server/models/model_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "engine/base/accepted.h"
#include "engine/base/split_name.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/whole_file.h"
#include "server/models/model_directory.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;

// Of a split model's first part; empty for another name.
std::optional<SplitName> ParseFirstPart(std::string_view path) {
  const auto split = ParseSplitName(path);
  return split && split->is_possible() && split->part == 1 ? split : std::nullopt;
}

Status CheckLinkable(const std::string& path) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos)
    return InvalidField("path", ShowValue(path), "an absolute path");
  const fs::path file(path);
  if (file.extension() != ".gguf" || file.filename().string().starts_with('.') ||
      IsLaterPart(file.filename().string()))
    return InvalidField("path", ShowValue(path),
                        "a file that ends in .gguf; of a split model the first part");
  struct stat there = {};
  if (::stat(path.c_str(), &there) != 0) return ErrnoStatus(errno, path).WithField("path");
  if (!S_ISREG(there.st_mode)) return InvalidField("path", ShowValue(path), "a regular file");
  return OkStatus();
}

}  // namespace

std::vector<std::string> FilesOfModel(const std::string& path) {
  std::vector<std::string> files = {path};
  const std::optional<SplitName> split = ParseFirstPart(path);
  for (std::uint32_t part = 2; split && part <= split->count; ++part) {
    std::error_code ignored;
    std::string file = split->PathOf(part);
    if (fs::exists(fs::symlink_status(file, ignored))) files.push_back(std::move(file));
  }
  return files;
}

Result<std::string> LinkModel(const std::string& path, const std::string& directory) {
  EDGEMOE_FAIL_IF_ERROR(CheckLinkable(path));
  std::vector<std::string> links;
  std::vector<std::string> files = FilesOfModel(path);
  const std::optional<SplitName> split = ParseFirstPart(path);
  if (split && files.size() != split->count)
    return Failure(InvalidFieldError("path", "found " + std::to_string(files.size()) + " of the " +
                                                 std::to_string(split->count) + " parts of " +
                                                 path));
  std::ranges::reverse(files);
  Status status;
  for (auto file = files.begin(); status.ok() && file != files.end(); ++file) {
    const std::string link = directory + "/" + fs::path(*file).filename().string();
    if (::symlink(file->c_str(), link.c_str()) == 0) {
      links.push_back(link);
    } else {
      status = ErrnoStatus(errno, "link " + link);
    }
  }
  if (status.ok()) status = SyncFolderOf(links.back());
  if (status.ok()) return links.back();
  for (const std::string& made : links) ::unlink(made.c_str());
  return Failure(status);
}

Result<RemovedFiles> RemoveFiles(const std::vector<std::string>& files) {
  RemovedFiles removed;
  for (const std::string& file : files) {
    struct stat there = {};
    const bool is_last_name =
        ::lstat(file.c_str(), &there) == 0 && S_ISREG(there.st_mode) && there.st_nlink == 1;
    if (::unlink(file.c_str()) != 0) {
      if (errno == ENOENT) continue;
      return Failure(ErrnoStatus(errno, "remove " + file));
    }
    removed.paths.push_back(file);
    if (is_last_name) removed.bytes += static_cast<std::uint64_t>(there.st_size);
  }
  return removed;
}

}  // namespace edgemoe
