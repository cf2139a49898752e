// SPDX-License-Identifier: Apache-2.0
#include "engine/io/storage_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "engine/base/accepted.h"
#include "engine/base/system/errno_status.h"
#include "engine/io/block_reader.h"

namespace edgemoe {
namespace {

int OpenRetrying(const std::string& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// Some file systems take the flag and then refuse the reads, or want more than 4 KiB of alignment.
bool DirectReadWorks(int fd) {
  alignas(kReadAlignment) std::byte block[kReadAlignment];
  ssize_t got;
  do {
    got = ::pread(fd, block, sizeof block, 0);
  } while (got < 0 && errno == EINTR);
  return got >= 0 || errno != EINVAL;
}

std::int64_t Nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileIdentity IdentityOf(const struct stat& stat) {
  return {.device = stat.st_dev,
          .inode = stat.st_ino,
          .bytes = static_cast<std::uint64_t>(stat.st_size),
          .modified_ns = Nanoseconds(stat.st_mtim),
          .changed_ns = Nanoseconds(stat.st_ctim)};
}

}  // namespace

Result<StorageFile> StorageFile::Open(const std::string& path, Caching caching) {
  StorageFile file;
  file.path_ = path;
  // Without O_NONBLOCK, opening a FIFO would wait for its writer for ever.
  file.fd_ = UniqueFd(OpenRetrying(path, O_NONBLOCK));
  if (!file.fd_.valid()) return Failure(ErrnoStatus(errno, "open: " + path));
  struct stat stat;
  if (::fstat(file.fd(), &stat) != 0) return Failure(ErrnoStatus(errno, "stat: " + path));
  if (!S_ISREG(stat.st_mode))
    return Failure(
        NotAccepted(S_ISDIR(stat.st_mode) ? "a directory" : "a special file", "a regular file")
            .WithContext("open: " + path));
  file.identity_ = IdentityOf(stat);
  if (caching == Caching::kKernel) return file;

  UniqueFd direct(OpenRetrying(path, O_DIRECT));
  struct stat direct_stat;
  // The path may have been replaced in between: then the first descriptor counts.
  if (direct.valid() && ::fstat(direct.get(), &direct_stat) == 0 &&
      IdentityOf(direct_stat) == file.identity_ && DirectReadWorks(direct.get())) {
    file.fd_ = std::move(direct);
    file.direct_ = true;
  }
  return file;
}

FileIdentity StorageFile::CurrentIdentity() const {
  struct stat stat;
  return ::fstat(fd(), &stat) == 0 ? IdentityOf(stat) : identity_;
}

}  // namespace edgemoe
