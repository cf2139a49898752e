// SPDX-License-Identifier: Apache-2.0
#include "download/present_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "download/transfer/file_hasher.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe {
namespace {

constexpr const char* kMarkName = "user.edgemoe.sha256";
constexpr std::size_t kMarkBytesMax = 256;

std::string MarkOf(const struct stat& file, const std::string& sha256) {
  return sha256 + " " + std::to_string(file.st_size) + " " + std::to_string(file.st_mtim.tv_sec) +
         "." + std::to_string(file.st_mtim.tv_nsec);
}

bool IsMarked(int fd, const struct stat& file, const std::string& sha256) {
  std::array<char, kMarkBytesMax> mark = {};
  const ssize_t bytes = ::fgetxattr(fd, kMarkName, mark.data(), mark.size());
  return bytes > 0 &&
         std::string(mark.data(), static_cast<std::size_t>(bytes)) == MarkOf(file, sha256);
}

void Mark(int fd, const struct stat& file, const std::string& sha256) {
  const std::string mark = MarkOf(file, sha256);
  (void)::fsetxattr(fd, kMarkName, mark.data(), mark.size(), 0);
}

Result<std::string> Hash(int fd, std::uint64_t bytes, const CheckWatch& watch) {
  FileHasher hasher(fd);
  hasher.Advance(bytes);
  while (true) {
    if (watch.cancelled != nullptr && *watch.cancelled)
      return Failure(CancelledError("the check of what is there was cancelled"));
    const std::optional<Result<std::string>> digest = hasher.TryFinish();
    if (watch.progress) watch.progress(hasher.hashed_bytes());
    if (digest) return *digest;
  }
}

// The SHA-256 of a regular file of `bytes`: `expected` at once where the file is marked so. Empty:
// it is no such file.
Result<std::string> SumOf(const std::string& path, std::optional<std::uint64_t> bytes,
                          const std::string& expected, const CheckWatch& watch) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat file = {};
  if (!fd.valid() || ::fstat(fd.get(), &file) != 0)
    return Failure(ErrnoStatus(errno, "check: " + path));
  const auto found_bytes = static_cast<std::uint64_t>(file.st_size);
  if (!S_ISREG(file.st_mode) || (bytes && *bytes != found_bytes)) return std::string();
  if (IsMarked(fd.get(), file, expected)) return expected;
  EDGEMOE_ASSIGN_OR_FAIL(std::string sum, Hash(fd.get(), found_bytes, watch));
  if (sum == expected) Mark(fd.get(), file, sum);
  return sum;
}

// As SHA-256s and names of files are compared: what `file` says of itself.
bool MayBe(const HeldFile& held, const TransferFile& file) {
  if (file.bytes && held.bytes != *file.bytes) return false;
  return held.sha256.empty() ? held.path.ends_with(file.name) : held.sha256 == file.sha256;
}

}  // namespace

Result<bool> IsPresent(const std::string& path, const TransferFile& file, const CheckWatch& watch) {
  struct stat there = {};
  if (::stat(path.c_str(), &there) != 0) {
    if (errno != ENOENT) return Failure(ErrnoStatus(errno, "look at: " + path));
    // Nothing, or a link to nothing.
    if (::lstat(path.c_str(), &there) == 0 && ::unlink(path.c_str()) != 0)
      return Failure(ErrnoStatus(errno, "remove a link that leads nowhere: " + path));
    return false;
  }
  const auto bytes = static_cast<std::uint64_t>(there.st_size);
  const bool is_regular = S_ISREG(there.st_mode);
  std::string ours =
      is_regular ? "a file of " + std::to_string(bytes) + " bytes" : "no regular file";
  std::string theirs =
      file.bytes ? "of " + std::to_string(*file.bytes) + " bytes" : "of unknown length";
  if (is_regular && (file.bytes ? *file.bytes == bytes : !file.sha256.empty())) {
    if (file.sha256.empty()) return true;
    EDGEMOE_ASSIGN_OR_FAIL(const std::string sum, SumOf(path, bytes, file.sha256, watch));
    if (sum == file.sha256) return true;
    ours += " with the SHA-256 " + sum;
    theirs += " with " + file.sha256;
  }
  return Failure(AlreadyExistsError(path + ": there is " + ours + ", and " + file.url + " is one " +
                                    theirs + "; remove or rename what is there"));
}

Result<std::string> FindHeld(std::span<const HeldFile> held, const TransferFile& file,
                             const CheckWatch& watch) {
  if (file.sha256.empty()) return std::string();
  for (const HeldFile& candidate : held) {
    if (!MayBe(candidate, file)) continue;
    const Result<std::string> sum = SumOf(candidate.path, file.bytes, file.sha256, watch);
    if (sum && *sum == file.sha256) return candidate.path;
    if (!sum && sum.error().code() == StatusCode::kCancelled) return sum;
  }
  return std::string();
}

void MarkChecked(const std::string& path, const std::string& sha256) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat file = {};
  if (fd.valid() && ::fstat(fd.get(), &file) == 0) Mark(fd.get(), file, sha256);
}

}  // namespace edgemoe
