// SPDX-License-Identifier: Apache-2.0
#include "server/jobs/header_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNameBegin = ".headers-";
// Somebody else may take a folder for a stale one before it is locked; a program that is told to
// end may still make a file.
constexpr int kTriesMax = 8;

// The folder's lock; nothing where somebody has it.
std::optional<UniqueFd> TryLock(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return fd;
}

void RemoveStale(const std::string& directory) {
  std::vector<std::string> found;
  std::error_code error;
  fs::directory_iterator entry(directory, error);
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error))
    if (entry->path().filename().string().starts_with(kNameBegin))
      found.push_back(entry->path().string());
  for (const std::string& path : found)
    if (const std::optional<UniqueFd> lock = TryLock(path)) fs::remove_all(path, error);
}

}  // namespace

Result<HeaderFolder> HeaderFolder::Make(const std::string& directory) {
  RemoveStale(directory);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    std::string path = directory + "/" + kNameBegin + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      return Failure(ErrnoStatus(errno, "make a folder in " + directory));
    std::optional<UniqueFd> lock = TryLock(path);
    struct stat there = {};
    if (lock && ::stat(path.c_str(), &there) == 0)
      return HeaderFolder(std::move(path), *std::move(lock));
  }
  return Failure(UnavailableError(directory + ": others remove what is made there; try again"));
}

HeaderFolder::~HeaderFolder() {
  std::error_code error;
  for (int tries = 0; !path_.empty() && tries < kTriesMax && fs::exists(path_, error); ++tries)
    fs::remove_all(path_, error);
}

Status HeaderFolder::RemoveFolderOf(const std::string& file) const {
  const fs::path folder = fs::path(file).parent_path();
  if (folder.parent_path() != path_ || !folder.has_filename() || folder.filename() == "..")
    return InternalError("edgemoe-download: found a header at " + ShowValue(file) +
                         "; expected it in a folder of " + path_);
  std::error_code error;
  fs::remove_all(folder, error);
  return error ? ErrnoStatus(error.value(), "remove " + folder.string()) : OkStatus();
}

}  // namespace edgemoe
