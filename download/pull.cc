// SPDX-License-Identifier: Apache-2.0
#include "download/pull.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "download/present_file.h"
#include "download/transfer/file_transfer.h"
#include "download/transfer/part_file.h"
#include "download/transfer/rate_meter.h"
#include "engine/base/accepted.h"
#include "engine/base/clock.h"
#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

constexpr const char* kLockName = "/.edgemoe-download.lock";

// The kernel takes it back when the process ends, however it does.
Result<UniqueFd> Lock(const std::string& directory) {
  const std::string path = directory + kLockName;
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) return Failure(ErrnoStatus(errno, "models' directory: " + path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return Failure(ErrnoStatus(errno, "lock: " + path));
  return Failure(
      FailedPreconditionError("another download runs in " + directory + "; one runs at a time")
          .WithReason(Reason::kBusy));
}

// Turns the transfers' progress into that of the whole.
class Teller {
 public:
  Teller(const PullOptions& options, std::uint32_t file_count, std::uint64_t total_bytes)
      : options_(options) {
    progress_.file_count = file_count;
    progress_.total_bytes = total_bytes;
  }

  void Start(const TransferFile& file, std::uint32_t number) {
    progress_.file_name = file.name;
    progress_.file_number = number;
    is_new_ = true;
  }
  void Tell(std::uint64_t bytes, bool is_checking) {
    if (is_new_) {
      progress_.resumed_bytes += bytes;
      resumed_of_file_ = bytes;
    }
    // It began anew.
    if (!is_checking && bytes < resumed_of_file_) {
      progress_.resumed_bytes -= resumed_of_file_;
      resumed_of_file_ = 0;
    }
    if (!is_checking) file_bytes_ = bytes;
    const bool is_change = is_new_ || progress_.is_checking != is_checking;
    is_new_ = false;
    progress_.is_checking = is_checking;
    progress_.done_bytes = whole_files_bytes_ + file_bytes_;
    // What was there counts for no speed.
    const std::uint64_t arrived = progress_.done_bytes - progress_.resumed_bytes;
    most_arrived_ = std::max(most_arrived_, arrived);
    const bool is_due = meter_.Add(clock_.NowNs(), most_arrived_);
    if (is_due || is_change) Send();
  }
  void Finish() {
    whole_files_bytes_ += file_bytes_;
    progress_.done_bytes = whole_files_bytes_;
    file_bytes_ = 0;
    resumed_of_file_ = 0;
    Send();
  }
  std::uint64_t resumed_bytes() const { return progress_.resumed_bytes; }

 private:
  void Send() {
    progress_.bytes_per_second = meter_.BytesPerSecond();
    progress_.seconds_left.reset();
    if (progress_.bytes_per_second > 0 && progress_.total_bytes >= progress_.done_bytes)
      progress_.seconds_left = static_cast<double>(progress_.total_bytes - progress_.done_bytes) /
                               progress_.bytes_per_second;
    if (options_.progress) options_.progress(progress_);
  }

  const PullOptions& options_;
  const SteadyClock clock_;
  RateMeter meter_;
  PullProgress progress_;
  bool is_new_ = false;
  std::uint64_t whole_files_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t resumed_of_file_ = 0;
  std::uint64_t most_arrived_ = 0;
};

std::uint64_t PartBytes(const std::string& path, std::uint64_t most) {
  struct stat there = {};
  if (::stat((path + ".part").c_str(), &there) != 0) return 0;
  return std::min(static_cast<std::uint64_t>(there.st_size), most);
}

// What is here already, and what is missing.
struct Present {
  std::vector<std::size_t> missing;     // of ModelSource::files
  std::vector<std::string> held_paths;  // of each file, to be linked; empty: none
};

// Fills in the report's paths and lengths.
Result<Present> FindPresent(const PullOptions& options, const ModelSource& source,
                            PullReport& report) {
  Present present;
  report.is_verified = true;
  for (std::size_t i = 0; i < source.files.size(); ++i) {
    const TransferFile& file = source.files[i];
    report.paths.push_back(options.directory + "/" + file.name);
    report.bytes += file.bytes.value_or(0);
    report.is_verified = report.is_verified && !file.sha256.empty();
    CheckWatch watch{.progress = {}, .cancelled = options.http.cancelled};
    if (options.progress)
      watch.progress = [&](std::uint64_t hashed_bytes) {
        options.progress({.is_checking = true,
                          .file_name = file.name,
                          .file_number = static_cast<std::uint32_t>(i + 1),
                          .file_count = static_cast<std::uint32_t>(source.files.size()),
                          .done_bytes = hashed_bytes,
                          .total_bytes = file.bytes.value_or(0)});
      };
    EDGEMOE_ASSIGN_OR_FAIL(const bool is_there, IsPresent(report.paths.back(), file, watch));
    present.held_paths.emplace_back();
    if (is_there) {
      RemoveStaleParts(options.directory, file.name);
      continue;
    }
    EDGEMOE_ASSIGN_OR_FAIL(present.held_paths.back(), FindHeld(options.held_files, file, watch));
    if (present.held_paths.back().empty()) {
      present.missing.push_back(i);
    } else {
      report.linked_files.push_back(present.held_paths.back());
    }
  }
  return present;
}

// The parts of what is missing, whole and checked.
Result<std::vector<PartFile>> Download(HttpClient& client, const PullOptions& options,
                                       const ModelSource& source,
                                       const std::vector<std::size_t>& missing,
                                       PullReport& report) {
  std::vector<PartFile> parts;
  if (missing.empty()) return parts;
  std::uint64_t total_bytes = 0;
  std::uint64_t needed_bytes = 0;
  for (const std::size_t i : missing) {
    const std::uint64_t bytes = source.files[i].bytes.value_or(0);
    total_bytes += bytes;
    needed_bytes += bytes - PartBytes(report.paths[i], bytes);
  }
  EDGEMOE_FAIL_IF_ERROR(CheckFreeSpace(options.directory, needed_bytes, options.reserve_bytes));
  Teller teller(options, static_cast<std::uint32_t>(missing.size()), total_bytes);
  TransferOptions transfer = ToTransferOptions(options, source);
  transfer.progress = [&teller](std::uint64_t bytes, bool is_checking) {
    teller.Tell(bytes, is_checking);
  };
  parts.reserve(missing.size());
  for (const std::size_t i : missing) {
    const TransferFile& file = source.files[i];
    teller.Start(file, static_cast<std::uint32_t>(parts.size() + 1));
    EDGEMOE_ASSIGN_OR_FAIL(PartFile part, Transfer(client, file, transfer));
    teller.Finish();
    parts.push_back(std::move(part));
  }
  report.resumed_bytes = teller.resumed_bytes();
  return parts;
}

// Gives parts and links their names, the last one first. `parts`: those of present.missing.
Status Publish(const ModelSource& source, const Present& present, const PullReport& report,
               std::vector<PartFile> parts) {
  for (std::size_t i = source.files.size(); i-- > 0;) {
    const std::string& path = report.paths[i];
    const std::string& held = present.held_paths[i];
    if (!held.empty()) {
      if (::symlink(held.c_str(), path.c_str()) != 0) return ErrnoStatus(errno, "link " + path);
      EDGEMOE_RETURN_IF_ERROR(SyncFolderOf(path));
      PartFile::Remove(path);
    } else if (!parts.empty() && present.missing[parts.size() - 1] == i) {
      EDGEMOE_RETURN_IF_ERROR(parts.back().Publish());
      parts.pop_back();
      if (!source.files[i].sha256.empty()) MarkChecked(path, source.files[i].sha256);
    }
  }
  return OkStatus();
}

}  // namespace

TransferOptions ToTransferOptions(const PullOptions& options, const ModelSource& source) {
  return {.folder = options.directory,
          .token = source.repository.empty() ? "" : options.hub.token,
          .token_origin = options.hub.origin,
          .reserve_bytes = options.reserve_bytes,
          .retry = options.retry,
          .cancelled = options.http.cancelled};
}

Result<PullReport> Pull(const PullOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(const UniqueFd lock, Lock(options.directory));
  HttpClient client(options.http);
  EDGEMOE_ASSIGN_OR_FAIL(const ModelSource source,
                         FindModel(client, options.hub, options.retry, options.model));
  PullReport report;
  EDGEMOE_ASSIGN_OR_FAIL(const Present present, FindPresent(options, source, report));
  report.was_there = present.missing.empty();
  Result<std::vector<PartFile>> parts = Download(client, options, source, present.missing, report);
  const Status status = parts ? Publish(source, present, report, *std::move(parts)) : parts.error();
  if (!status.ok())
    return Failure(source.repository.empty()
                       ? status
                       : ExplainHubError(status, options.hub, source.repository));
  return report;
}

}  // namespace edgemoe
