// SPDX-License-Identifier: Apache-2.0
//
// The probe of the facade: measures, or remembers.
#include "engine/probe.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/clock.h"
#include "engine/base/system/errno_status.h"
#include "engine/io/probe/device_probe.h"
#include "engine/io/probe/probe_store.h"

namespace edgemoe {
namespace {

ProbeReport ToReport(DeviceProbe probe) {
  ProbeReport report;
  report.device = std::move(probe.key.device);
  report.file_system = std::move(probe.key.file_system);
  report.io_backend = std::move(probe.backend);
  report.direct = probe.direct;
  for (const ProbePoint& point : probe.points)
    report.points.push_back({.read_bytes = point.read_bytes,
                             .depth = point.depth,
                             .bytes_per_second = point.bytes_per_second});
  report.bytes_per_second = probe.bytes_per_second;
  report.small_read_ns = probe.small_read_ns;
  report.cpu_seconds_per_byte = probe.cpu_seconds_per_byte;
  report.read_bytes = probe.read_bytes;
  report.depth = probe.depth;
  report.in_flight_bytes_max = probe.in_flight_bytes;
  report.note = std::move(probe.note);
  return report;
}

// Files that are looked at for one to be measured.
constexpr std::size_t kFolderFilesMax = 4096;

// A file of holes is answered without the device.
bool HasItsBytes(const struct stat& status) {
  constexpr std::int64_t kBlockBytes = 512;  // of st_blocks, on every file system
  return S_ISREG(status.st_mode) && status.st_size >= kProbeFileBytesMin &&
         status.st_blocks * kBlockBytes >= status.st_size / 2;
}

// The path itself, or what is measured in its place.
Result<std::string> FileToMeasure(const std::string& path) {
  namespace fs = std::filesystem;
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return Failure(ErrnoStatus(errno, path));
  const bool is_folder = S_ISDIR(status.st_mode);
  if (!is_folder && (HasItsBytes(status) || status.st_size < kProbeFileBytesMin)) return path;
  const fs::path folder = is_folder ? fs::path(path) : fs::path(path).parent_path();
  std::string largest;
  std::int64_t largest_bytes = 0;
  std::size_t looked_at = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end && looked_at < kFolderFilesMax; entry.increment(error), ++looked_at) {
    const std::string& name = entry->path().native();
    if (::stat(name.c_str(), &status) != 0 || !HasItsBytes(status)) continue;
    if (status.st_size <= largest_bytes || ::access(name.c_str(), R_OK) != 0) continue;
    largest = name;
    largest_bytes = status.st_size;
  }
  if (largest.empty())
    return Failure(FailedPreconditionError(
        path + ": the storage cannot be measured: " +
        (is_folder ? "the folder has no file" : "neither it nor a file beside it is one") +
        " of at least " + FormatByteSize(kProbeFileBytesMin) + " that has its bytes on the disk"));
  return largest;
}

}  // namespace

Result<ProbeReport> ProbeStorage(const ProbeOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(const StorageKey key, DescribeStorage(options.path, options.io_backend));
  const bool keeps = !options.state_directory.empty();
  const std::string store = keeps ? ProbeStorePath(options.state_directory, key) : "";
  if (keeps && !options.fresh) {
    if (std::optional<DeviceProbe> probe = ReadProbe(store, key)) {
      ProbeReport report = ToReport(*std::move(probe));
      report.kept = true;
      return report;
    }
  }
  if (options.kept_only)
    return Failure(NotFoundError(options.path + ": no probe of its storage is kept"));
  EDGEMOE_ASSIGN_OR_FAIL(const std::string path, FileToMeasure(options.path));
  EDGEMOE_ASSIGN_OR_FAIL(const StorageFile file, StorageFile::Open(path));
  const SteadyClock clock;
  EDGEMOE_ASSIGN_OR_FAIL(DeviceProbe probe, ProbeFile(file, options.io_backend, clock));
  const Status written = keeps ? WriteProbe(store, probe) : OkStatus();
  ProbeReport report = ToReport(std::move(probe));
  // Measured all the same: the next probe measures anew.
  if (!written.ok()) report.note += (report.note.empty() ? "" : "; ") + written.message();
  return report;
}

}  // namespace edgemoe
