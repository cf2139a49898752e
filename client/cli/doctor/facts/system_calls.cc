// SPDX-License-Identifier: Apache-2.0
//
// What this machine answers.
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "client/cli/doctor/facts/machine.h"
#include "engine/base/system/page_size.h"
#include "engine/base/system/unique_fd.h"

namespace edgemoe::cli {
namespace {

namespace fs = std::filesystem;

int TryIoUring() {
  io_uring_params parameters = {};
  const long fd = ::syscall(SYS_io_uring_setup, 4, &parameters);
  if (fd < 0) return errno;
  ::close(static_cast<int>(fd));
  return 0;
}

std::optional<std::uint64_t> LockLimit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return std::nullopt;
  return limit.rlim_cur;
}

std::string UserName() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? std::to_string(::geteuid()) : entry->pw_name;
}

std::vector<std::uint64_t> GroupIds() {
  std::vector<std::uint64_t> ids = {::getegid()};
  const int count = ::getgroups(0, nullptr);
  std::vector<gid_t> more(count < 0 ? 0 : static_cast<std::size_t>(count));
  const int got = ::getgroups(count, more.data());
  for (int i = 0; i < got; ++i) ids.push_back(more[static_cast<std::size_t>(i)]);
  return ids;
}

// A block read around the page cache; nothing where the file cannot be opened at all.
std::optional<bool> ReadsDirectly(const std::string& file) {
  constexpr std::size_t kBlockBytes = 4096;
  const UniqueFd plain(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!plain.valid()) return std::nullopt;
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_DIRECT));
  if (!fd.valid()) return false;
  alignas(kBlockBytes) char block[kBlockBytes];
  return ::pread(fd.get(), block, sizeof(block), 0) >= 0 || errno != EINVAL;
}

// Of a file itself; of a folder one of its files, or a new one without a name.
std::optional<bool> FolderReadsDirectly(const std::string& path) {
  constexpr int kEntriesMax = 64;
  std::error_code error;
  if (fs::is_regular_file(path, error)) return ReadsDirectly(path);
  int count = 0;
  fs::directory_iterator entry(path, error);
  for (; !error && entry != fs::directory_iterator() && count < kEntriesMax; ++count) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored))
      if (const auto direct = ReadsDirectly(entry->path().string())) return direct;
    entry.increment(error);
  }
  const UniqueFd fd(::open(path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd.valid()) return std::nullopt;
  return ReadsDirectly("/proc/self/fd/" + std::to_string(fd.get()));
}

std::optional<StorageAnswers> LookAtStorage(const std::string& path) {
  fs::path place = path;
  std::error_code error;
  while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  struct statvfs status = {};
  if (::statvfs(place.c_str(), &status) != 0) return std::nullopt;
  return StorageAnswers{.free_bytes = std::uint64_t{status.f_bavail} * status.f_frsize,
                        .total_bytes = std::uint64_t{status.f_blocks} * status.f_frsize,
                        .direct = FolderReadsDirectly(place.string())};
}

// In a build tree the daemon lies in the neighbour folder of the client's.
std::string FindProgram(const std::string& name) {
  if (name != "edgemoed") return name;
  for (const char* const folder : {"", "../server/"}) {
    const std::string path = OwnDirectory() + folder + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return name;
}

}  // namespace

SystemAnswers AskSystem() {
  utsname names = {};
  const bool named = ::uname(&names) == 0;
  return {.io_uring_error = TryIoUring(),
          .page_bytes = PageBytes(),
          .memlock_bytes = LockLimit(),
          .architecture = named ? names.machine : "unknown",
          .features = HostCpuFeatures(),
          .user = UserName(),
          .is_root = ::geteuid() == 0,
          .group_ids = GroupIds()};
}

SystemCalls SystemCalls::Real(Interrupts& interrupts) {
  return {.run =
              [&interrupts](std::vector<std::string> command, const auto& environment) {
                ProgramOptions options;
                options.takes_errors = true;
                options.environment = environment;
                options.time_max = kProgramTimeMax;
                command[0] = FindProgram(command[0]);
                return RunProgram(command, options, interrupts);
              },
          .look_at_storage = LookAtStorage};
}

}  // namespace edgemoe::cli
