// SPDX-License-Identifier: Apache-2.0
#include "tests/support/models/random_model_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

constexpr std::size_t kBufferBytes = 4 << 20;

// A new file beside `path`, which gets its name at the end.
class NewFile {
 public:
  explicit NewFile(const std::string& path)
      : path_(path),
        partial_path_(path + ".partial." + std::to_string(::getpid())),
        fd_(::open(partial_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    buffer_.reserve(kBufferBytes);
  }

  Status Append(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > kBufferBytes) EDGEMOE_RETURN_IF_ERROR(Flush());
    if (bytes.size() > kBufferBytes) return AppendAll(fd_.get(), bytes, partial_path_);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return OkStatus();
  }

  // What `fill` appends is the file; its end, up to `bytes` in all, are zeros.
  template <class Fill>
  Status Make(std::uint64_t bytes, const Fill& fill) {
    if (!fd_.valid()) return Error("create");
    Status status = fill();
    if (status.ok()) status = Flush();
    if (status.ok() && ::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0)
      status = Error("resize");
    if (status.ok()) status = PublishFile(fd_.get(), partial_path_, path_, Replace::kYes);
    if (!status.ok()) ::unlink(partial_path_.c_str());
    return status;
  }

 private:
  Status Error(const char* what) const {
    return ErrnoStatus(errno, std::string(what) + ": " + partial_path_);
  }

  Status Flush() {
    EDGEMOE_RETURN_IF_ERROR(AppendAll(fd_.get(), buffer_, partial_path_));
    buffer_.clear();
    return OkStatus();
  }

  const std::string path_;
  const std::string partial_path_;
  const UniqueFd fd_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Status WriteRandomModel(const std::string& path, const RandomModelOptions& options) {
  NewFile file(path);
  return file.Make(RandomModelHeader(options).file_bytes, [&] {
    return MakeRandomModel(options,
                           [&](std::span<const std::byte> bytes) { return file.Append(bytes); });
  });
}

Status WriteRandomModelHeader(const std::string& path, const RandomModelOptions& options) {
  const GgufHeader header = RandomModelHeader(options);
  NewFile file(path);
  return file.Make(header.file_bytes,
                   [&] { return file.Append(std::as_bytes(std::span(header.bytes))); });
}

}  // namespace edgemoe
