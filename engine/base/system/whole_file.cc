// SPDX-License-Identifier: Apache-2.0
#include "engine/base/system/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "engine/base/result.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {
namespace {

// Of this process's and this call's own, so that two that write at once have two files.
std::string PartialPath(const std::string& path) {
  static std::atomic<std::uint32_t> count = 0;
  return path + "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".partial";
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Status Rename(const std::string& from, const std::string& to, Replace replace) {
  const std::string what = "rename: " + from + " to " + to;
  const unsigned flags = replace == Replace::kYes ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return OkStatus();
  if (errno != EINVAL && errno != ENOSYS) return ErrnoStatus(errno, what);
  // A file system that cannot refuse to replace.
  struct stat there = {};
  if (replace == Replace::kNo && ::lstat(to.c_str(), &there) == 0) return ErrnoStatus(EEXIST, what);
  if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(errno, what);
  return OkStatus();
}

}  // namespace

WholeFileDisk WholeFileDisk::Real() { return {.write = ::write, .sync = ::fsync}; }

Status WriteWholeFile(const std::string& path, std::span<const std::span<const std::byte>> pieces,
                      const WholeFileOptions& options) {
  if (options.make_folders) {
    std::error_code error;
    std::filesystem::create_directories(FolderOf(path), error);
    if (error) return ErrnoStatus(error.value(), "make the folder of " + path);
  }
  const std::string partial_path = PartialPath(path);
  const UniqueFd fd(
      ::open(partial_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, options.mode));
  if (!fd.valid()) return ErrnoStatus(errno, "create: " + partial_path);
  Status status;
  for (const std::span<const std::byte> piece : pieces)
    if (status.ok()) status = AppendAll(fd.get(), piece, partial_path, options.disk);
  if (status.ok())
    status = PublishFile(fd.get(), partial_path, path, options.replace, options.disk);
  if (!status.ok()) ::unlink(partial_path.c_str());  // is gone where the rename was done
  return status;
}

Status WriteWholeFile(const std::string& path, std::string_view text,
                      const WholeFileOptions& options) {
  const std::array pieces = {std::as_bytes(std::span(text))};
  return WriteWholeFile(path, pieces, options);
}

Status AppendAll(int fd, std::span<const std::byte> bytes, const std::string& partial_path,
                 const WholeFileDisk& disk) {
  while (!bytes.empty()) {
    const ssize_t count = disk.write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "write: " + partial_path);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return OkStatus();
}

Status PublishFile(int fd, const std::string& partial_path, const std::string& path,
                   Replace replace, const WholeFileDisk& disk) {
  if (disk.sync(fd) != 0) return ErrnoStatus(errno, "sync: " + partial_path);
  EDGEMOE_RETURN_IF_ERROR(Rename(partial_path, path, replace));
  return SyncFolderOf(path, disk);
}

Status SyncFolderOf(const std::string& path, const WholeFileDisk& disk) {
  const UniqueFd fd(::open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that syncs no folders.
  if (fd.valid() && (disk.sync(fd.get()) == 0 || errno == EINVAL)) return OkStatus();
  return ErrnoStatus(errno, "sync: folder of " + path);
}

}  // namespace edgemoe
