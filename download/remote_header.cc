// SPDX-License-Identifier: Apache-2.0
#include "download/remote_header.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/system/errno_status.h"
#include "engine/base/system/unique_fd.h"
#include "engine/base/system/whole_file.h"

namespace edgemoe {
namespace {

// Takes the bytes from `begin` to `end` of a file, whether the server gives them alone or sends
// all.
class BeginningSink final : public HttpSink {
 public:
  BeginningSink(std::vector<std::byte>& bytes, std::uint64_t end) : bytes_(bytes), end_(end) {}

  Status OnHead(const HttpHead& head) override {
    const bool is_range = head.status == 206;
    const std::optional<std::uint64_t> total = is_range ? head.total_bytes : head.content_bytes;
    if (!total || (is_range && head.range_first != bytes_.size()) ||
        (head.status != 200 && !is_range))
      return DataLossError(head.url + ": does not give the bytes from " +
                           std::to_string(bytes_.size()) + " on and the file's length");
    file_bytes_ = total;
    to_skip_ = is_range ? 0 : bytes_.size();
    return OkStatus();
  }

  Status OnBody(std::span<const std::byte> bytes) override {
    const std::size_t skipped =
        static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, bytes.size()));
    to_skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    const std::uint64_t wanted = std::min<std::uint64_t>(end_ - bytes_.size(), bytes.size());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(wanted));
    // The rest of the file is not wanted. A range ends by itself, and its connection goes on.
    return wanted < bytes.size() ? CancelledError("enough") : OkStatus();
  }

  bool is_full() const { return bytes_.size() == end_; }
  std::optional<std::uint64_t> file_bytes() const { return file_bytes_; }

 private:
  std::vector<std::byte>& bytes_;
  const std::uint64_t end_;
  std::uint64_t to_skip_ = 0;
  std::optional<std::uint64_t> file_bytes_;
};

// More of the file's beginning in `bytes`, up to `end` or the file's; gives the file's length.
Result<std::uint64_t> FetchMore(HttpClient& client, const TransferFile& file,
                                const TransferOptions& options, std::uint64_t end,
                                std::vector<std::byte>& bytes) {
  RetrySchedule schedule(options.retry);
  while (true) {
    BeginningSink sink(bytes, end);
    const HttpOutcome outcome = client.Get({.url = file.url,
                                            .token = options.token,
                                            .token_origin = options.token_origin,
                                            .first_byte = bytes.size(),
                                            .last_byte = end - 1},
                                           sink);
    const std::optional<std::uint64_t> total = sink.file_bytes();
    if (total && file.bytes && total != file.bytes)
      return Failure(DataLossError(file.url + ": says that the file has " + std::to_string(*total) +
                                   " bytes; expected " + std::to_string(*file.bytes)));
    if (total && bytes.size() > *total)
      return Failure(DataLossError(file.url + ": sends more than the " + std::to_string(*total) +
                                   " bytes that the file has, as it says"));
    if (total && (sink.is_full() || bytes.size() == *total)) return *total;
    const bool is_cut = outcome.status.ok();
    if ((!outcome.is_retryable && !is_cut) ||
        !client.WaitForRetry(options.retry, schedule, outcome.head))
      return Failure(is_cut ? UnavailableError(file.url + ": its answer ended too early")
                            : outcome.status);
  }
}

Status WriteSparse(const std::string& path, std::span<const std::byte> bytes,
                   std::uint64_t file_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, "create: " + path);
  EDGEMOE_RETURN_IF_ERROR(AppendAll(fd.get(), bytes, path));
  if (::ftruncate(fd.get(), static_cast<off_t>(file_bytes)) != 0)
    return ErrnoStatus(errno, "set the length of " + path);
  return OkStatus();
}

}  // namespace

Result<RemoteHeader> FetchHeader(HttpClient& client, const HeaderWanted& wanted,
                                 const TransferOptions& options, const HeaderCheck& check) {
  const TransferFile& file = wanted.source;
  std::vector<std::byte> bytes;
  for (std::uint64_t end = wanted.first_bytes; end <= kRemoteHeaderBytesMax; end *= 2) {
    if (file.bytes) end = std::min(end, *file.bytes);
    EDGEMOE_ASSIGN_OR_FAIL(const std::uint64_t file_bytes,
                           FetchMore(client, file, options, end, bytes));
    EDGEMOE_ASSIGN_OR_FAIL(std::optional<HeaderFacts> facts, check(bytes, file_bytes));
    if (facts) {
      EDGEMOE_FAIL_IF_ERROR(WriteSparse(wanted.path, bytes, file_bytes));
      return RemoteHeader{
          .file_bytes = file_bytes, .fetched_bytes = bytes.size(), .facts = *std::move(facts)};
    }
    if (bytes.size() == file_bytes)
      return Failure(DataLossError(file.url + ": the file ends before its header does"));
  }
  return Failure(OutOfRangeError(file.url + ": has no whole header in its first " +
                                 FormatByteSize(kRemoteHeaderBytesMax)));
}

}  // namespace edgemoe
