// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/output.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/byte_size.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

// Sent to the disk at once; twice as much is in the page cache at most.
constexpr std::uint64_t kWindowBytes = std::uint64_t{8} << 20;
// Times that the unfinished file may be renamed by another job between open and lock.
constexpr int kOpenAttempts = 3;

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

bool IsSameFile(const struct stat& stat, const FileIdentity& identity) {
  return static_cast<std::uint64_t>(stat.st_dev) == identity.device &&
         static_cast<std::uint64_t>(stat.st_ino) == identity.inode;
}

std::uint64_t FreeBytes(int fd) {
  struct statvfs stat;
  if (::fstatvfs(fd, &stat) != 0) return UINT64_MAX;
  return std::uint64_t{stat.f_bavail} * stat.f_frsize;
}

std::uint64_t AllocatedBytes(int fd) {
  struct stat stat;
  return ::fstat(fd, &stat) != 0 ? 0 : static_cast<std::uint64_t>(stat.st_blocks) * 512;
}

}  // namespace

Status CheckPackTarget(const std::string& path, bool overwrite,
                       std::span<const StorageFile> sources) {
  struct stat stat;
  if (::stat(path.c_str(), &stat) != 0) {
    // A link that leads nowhere would be replaced, too.
    if (errno != ENOENT || ::lstat(path.c_str(), &stat) != 0)
      return errno == ENOENT ? OkStatus() : ErrnoStatus(errno, "output: " + path);
  }
  for (const StorageFile& source : sources)
    if (IsSameFile(stat, source.identity()))
      return InvalidArgumentError("output: " + path + ": is the source itself; choose another");
  if (!S_ISREG(stat.st_mode))
    return InvalidArgumentError("output: " + path + ": there is something that is no regular file");
  if (overwrite) return OkStatus();
  return AlreadyExistsError("output: " + path +
                            ": is there already; choose another, or allow to overwrite");
}

PackDisk PackDisk::Real() { return {.write = ::pwrite, .free_bytes = FreeBytes}; }

Result<PackOutput> PackOutput::Open(const std::string& path, bool overwrite,
                                    std::span<const StorageFile> sources, PackDisk disk) {
  EDGEMOE_FAIL_IF_ERROR(CheckPackTarget(path, overwrite, sources));
  PackOutput output;
  output.path_ = path;
  output.overwrite_ = overwrite;
  output.disk_ = std::move(disk);
  const std::string folder = FolderOf(path);
  // To publish needs the folder open: better to know before the work than after it.
  const UniqueFd folder_fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_fd.valid()) return Failure(ErrnoStatus(errno, "output folder: " + folder));
  EDGEMOE_FAIL_IF_ERROR(output.Lock());
  // Another job may have finished it before we had the lock.
  if (Status status = CheckPackTarget(path, overwrite, sources); !status.ok()) {
    if (output.bytes_found_ == 0) output.Discard();
    return Failure(std::move(status));
  }
  return output;
}

Status PackOutput::Lock() {
  const std::string partial = partial_path();
  for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
    fd_ = UniqueFd(
        ::open(partial.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
    if (!fd_.valid()) return ErrnoStatus(errno, "open: " + partial);
    struct stat stat;
    struct stat named;
    if (::fstat(fd_.get(), &stat) != 0) return ErrnoStatus(errno, "stat: " + partial);
    if (!S_ISREG(stat.st_mode))
      return NotAccepted("a special file", "a regular file").WithContext("open: " + partial);
    if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "lock: " + partial);
      return FailedPreconditionError("output: " + path_ + ": another job is writing it")
          .WithReason(Reason::kBusy);
    }
    if (::fstat(fd_.get(), &stat) != 0) return ErrnoStatus(errno, "stat: " + partial);
    identity_ = {.device = static_cast<std::uint64_t>(stat.st_dev),
                 .inode = static_cast<std::uint64_t>(stat.st_ino)};
    bytes_found_ = static_cast<std::uint64_t>(stat.st_size);
    if (::lstat(partial.c_str(), &named) == 0 && IsSameFile(named, identity_)) return OkStatus();
  }
  return FailedPreconditionError("output: " + path_ + ": other jobs keep writing it")
      .WithReason(Reason::kBusy);
}

std::string PackOutput::IdentityText() const { return std::to_string(identity_.inode) + "\n"; }

Status PackOutput::NoRoom(std::uint64_t needed_bytes) const {
  const std::uint64_t free_bytes = disk_.free_bytes(fd_.get());
  return ResourceExhaustedError("write: " + partial_path() + ": " + FormatByteSize(needed_bytes) +
                                " (" + std::to_string(needed_bytes) + " bytes) needed, " +
                                FormatByteSize(free_bytes) + " (" + std::to_string(free_bytes) +
                                " bytes) free")
      .WithReason(Reason::kStorageFull);
}

Status PackOutput::CheckRoom(std::uint64_t file_bytes) const {
  const std::uint64_t allocated = AllocatedBytes(fd_.get());
  const std::uint64_t needed = file_bytes - std::min(file_bytes, allocated);
  if (needed > disk_.free_bytes(fd_.get())) return NoRoom(needed);
  if (::fallocate(fd_.get(), 0, 0, static_cast<off_t>(file_bytes)) == 0) return OkStatus();
  if (errno == ENOSPC || errno == EDQUOT) return NoRoom(needed);
  if (errno == EFBIG) return ErrnoStatus(errno, "write: " + partial_path());
  // The file system cannot reserve: room is then found wanting when it is.
  if (::ftruncate(fd_.get(), static_cast<off_t>(file_bytes)) != 0)
    return ErrnoStatus(errno, "write: " + partial_path());
  return OkStatus();
}

Status PackOutput::Reserve(std::uint64_t file_bytes) {
  file_bytes_ = file_bytes;
  if (bytes_found_ != file_bytes && ::ftruncate(fd_.get(), 0) != 0)
    return ErrnoStatus(errno, "truncate: " + partial_path());
  Status status = CheckRoom(file_bytes);
  if (!status.ok() && bytes_found_ != file_bytes) Discard();
  return status;
}

Status PackOutput::Write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset != window_end_) window_begin_ = dropped_end_ = window_end_ = offset;
  while (!bytes.empty()) {
    const ssize_t put =
        disk_.write(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && (errno == ENOSPC || errno == EDQUOT))
      return NoRoom(file_bytes_ - std::min(file_bytes_, offset));
    if (put < 0) return ErrnoStatus(errno, "write: " + partial_path());
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  window_end_ = offset;
  if (window_end_ - window_begin_ >= kWindowBytes) SendToDisk(window_end_);
  return OkStatus();
}

// Starts to send the window, and waits for the one before, which is then dropped. Errors are left
// to Sync.
void PackOutput::SendToDisk(std::uint64_t end) {
  const auto send = [this](std::uint64_t from, std::uint64_t to, unsigned flags) {
    (void)::sync_file_range(fd_.get(), static_cast<off_t>(from), static_cast<off_t>(to - from),
                            flags);
  };
  send(window_begin_, end, SYNC_FILE_RANGE_WRITE);
  if (dropped_end_ < window_begin_) {
    send(dropped_end_, window_begin_,
         SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    (void)::posix_fadvise(fd_.get(), static_cast<off_t>(dropped_end_),
                          static_cast<off_t>(window_begin_ - dropped_end_), POSIX_FADV_DONTNEED);
  }
  dropped_end_ = window_begin_;
  window_begin_ = end;
}

Status PackOutput::Sync() {
  if (::fdatasync(fd_.get()) == 0) return OkStatus();
  if (errno == ENOSPC || errno == EDQUOT) return NoRoom(file_bytes_);
  return ErrnoStatus(errno, "sync: " + partial_path());
}

Status PackOutput::Publish() {
  EDGEMOE_RETURN_IF_ERROR(
      PublishFile(fd_.get(), partial_path(), path_, overwrite_ ? Replace::kYes : Replace::kNo));
  (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  // The journal names this very file, so that one left behind by a crash here fits no other.
  ::unlink(journal_path().c_str());
  return OkStatus();
}

void PackOutput::Discard() {
  ::unlink(journal_path().c_str());
  ::unlink(partial_path().c_str());
}

}  // namespace edgemoe
