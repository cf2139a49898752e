// SPDX-License-Identifier: Apache-2.0
#include "engine/pack/append_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

// As much of the file as there is, at most `bytes_max`.
std::string ReadAll(int fd, std::size_t bytes_max) {
  std::string bytes(bytes_max, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got =
        ::pread(fd, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

Result<AppendFile> AppendFile::Open(const std::string& path, bool lock) {
  AppendFile file;
  file.path_ = path;
  file.fd_ =
      UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
  if (!file.fd_.valid()) return Failure(ErrnoStatus(errno, "open: " + path));
  if (lock && ::flock(file.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failure(ErrnoStatus(errno, "lock: " + path));
    return Failure(
        FailedPreconditionError(path + ": another job is writing it").WithReason(Reason::kBusy));
  }
  struct stat stat;
  if (::fstat(file.fd_.get(), &stat) != 0) return Failure(ErrnoStatus(errno, "stat: " + path));
  if (!S_ISREG(stat.st_mode))
    return Failure(NotAccepted("a special file", "a regular file").WithContext("open: " + path));
  // The other one was done with it between our open and our lock.
  if (stat.st_nlink == 0)
    return Failure(FailedPreconditionError(path + ": another job was just writing it; try again")
                       .WithReason(Reason::kBusy));
  return file;
}

Result<std::string> AppendFile::Resume(std::string_view heading, std::uint64_t bytes_max) {
  struct stat stat;
  if (::fstat(fd_.get(), &stat) != 0) return Failure(ErrnoStatus(errno, "stat: " + path_));
  std::string bytes =
      ReadAll(fd_.get(), std::min<std::uint64_t>(static_cast<std::uint64_t>(stat.st_size),
                                                 heading.size() + bytes_max));
  if (!bytes.starts_with(heading)) {
    EDGEMOE_FAIL_IF_ERROR(Restart(heading));
    return std::string();
  }
  heading_bytes_ = heading.size();
  end_ = bytes.size();
  return bytes.substr(heading.size());
}

Status AppendFile::Restart(std::string_view heading) {
  if (::ftruncate(fd_.get(), 0) != 0) return ErrnoStatus(errno, "truncate: " + path_);
  end_ = 0;
  EDGEMOE_RETURN_IF_ERROR(Append(heading));
  heading_bytes_ = end_;
  return Sync();
}

Status AppendFile::CutTo(std::uint64_t bytes) {
  end_ = heading_bytes_ + bytes;
  if (::ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0)
    return ErrnoStatus(errno, "truncate: " + path_);
  return OkStatus();
}

Status AppendFile::Append(std::string_view record) {
  std::uint64_t end = end_;
  while (!record.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), record.data(), record.size(), static_cast<off_t>(end));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return ErrnoStatus(errno, "write: " + path_);
    record.remove_prefix(static_cast<std::size_t>(put));
    end += static_cast<std::uint64_t>(put);
  }
  end_ = end;
  return OkStatus();
}

Status AppendFile::Sync() {
  return ::fdatasync(fd_.get()) == 0 ? OkStatus() : ErrnoStatus(errno, "sync: " + path_);
}

void AppendFile::Remove() { ::unlink(path_.c_str()); }

}  // namespace edgemoe
