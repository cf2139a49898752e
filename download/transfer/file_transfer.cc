// SPDX-License-Identifier: Apache-2.0
#include "download/transfer/file_transfer.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/byte_size.h"
#include "engine/base/system/errno_status.h"

namespace edgemoe {
namespace {

// Between two looks at the file system's space.
constexpr std::uint64_t kSpaceStepBytes = 64 * kMiB;
// So much more is here than ever before: the server is worth further attempts.
constexpr std::uint64_t kProgressBytes = kMiB;

// Takes an answer into the part, as far as it belongs there.
class PartSink final : public HttpSink {
 public:
  PartSink(PartFile& part, const TransferFile& file, const TransferOptions& options)
      : part_(part), file_(file), options_(options) {}

  void Expect(bool is_range) {
    is_range_ = is_range;
    is_other_ = false;
  }
  // The answer has to do with another file or another place in it: what is here does not help.
  bool is_other() const { return is_other_; }

  Status OnHead(const HttpHead& head) override;
  Status OnBody(std::span<const std::byte> bytes) override;

 private:
  Status TakeRange(const HttpHead& head);
  Status TakeWhole(const HttpHead& head);
  Status Other(const HttpHead& head, const std::string& problem);

  PartFile& part_;
  const TransferFile& file_;
  const TransferOptions& options_;
  bool is_range_ = false;
  bool is_other_ = false;
  std::uint64_t space_checked_at_bytes_ = 0;
};

Status PartSink::Other(const HttpHead& head, const std::string& problem) {
  is_other_ = true;
  return DataLossError(head.url + ": " + problem);
}

Status PartSink::OnHead(const HttpHead& head) {
  if (head.status == 206 && is_range_) {
    EDGEMOE_RETURN_IF_ERROR(TakeRange(head));
  } else if (head.status == 200) {
    EDGEMOE_RETURN_IF_ERROR(TakeWhole(head));
  } else {
    return Other(head, "found HTTP " + std::to_string(head.status) + "; expected 200" +
                           (is_range_ ? " or 206" : ""));
  }
  space_checked_at_bytes_ = part_.bytes();
  const std::uint64_t total = part_.identity().bytes.value_or(part_.bytes());
  return CheckFreeSpace(options_.folder, total - part_.bytes(), options_.reserve_bytes);
}

Status PartSink::TakeRange(const HttpHead& head) {
  const PartIdentity& identity = part_.identity();
  if (head.range_first != part_.bytes())
    return Other(head, "was asked for bytes from " + std::to_string(part_.bytes()) +
                           " on, and gives " +
                           (head.range_first ? "those from " + std::to_string(*head.range_first)
                                             : "no range that can be read"));
  if (identity.bytes && head.total_bytes && head.total_bytes != identity.bytes)
    return Other(head, "says that the file has " + std::to_string(*head.total_bytes) +
                           " bytes; expected " + std::to_string(*identity.bytes));
  if (identity.sha256.empty() && !head.validator.empty() && head.validator != identity.validator)
    return Other(head, "the file has changed since its first bytes were downloaded");
  return OkStatus();
}

Status PartSink::TakeWhole(const HttpHead& head) {
  if (file_.bytes && head.content_bytes && head.content_bytes != file_.bytes)
    return Other(head, "says that the file has " + std::to_string(*head.content_bytes) +
                           " bytes; expected " + std::to_string(*file_.bytes));
  return part_.Begin({.source = file_.url,
                      .sha256 = file_.sha256,
                      .validator = head.validator,
                      .bytes = file_.bytes ? file_.bytes : head.content_bytes});
}

Status PartSink::OnBody(std::span<const std::byte> bytes) {
  const std::optional<std::uint64_t> total = part_.identity().bytes;
  if (total && bytes.size() > *total - part_.bytes()) {
    is_other_ = true;
    return DataLossError(file_.url + ": sends more than the " + std::to_string(*total) +
                         " bytes of the file");
  }
  if (part_.bytes() - space_checked_at_bytes_ >= kSpaceStepBytes) {
    space_checked_at_bytes_ = part_.bytes();
    EDGEMOE_RETURN_IF_ERROR(CheckFreeSpace(options_.folder, 0, options_.reserve_bytes));
  }
  EDGEMOE_RETURN_IF_ERROR(part_.Append(bytes));
  if (options_.progress) options_.progress(part_.bytes(), false);
  return OkStatus();
}

// The states of one file's download.
class Attempts {
 public:
  Attempts(HttpClient& client, const TransferFile& file, const TransferOptions& options,
           PartFile& part)
      : client_(client),
        file_(file),
        options_(options),
        part_(part),
        sink_(part, file, options),
        schedule_(options.retry),
        most_bytes_(part.bytes()) {}

  Status Run();

 private:
  bool IsWhole() const { return part_.identity().bytes == part_.bytes(); }
  // OK: the whole file is here.
  Status Download();
  HttpOutcome Ask();
  // OK: another attempt is due.
  Status BeforeNext(const HttpOutcome& outcome);
  Status Restart(const Status& why);
  Result<bool> HasItsSum();

  HttpClient& client_;
  const TransferFile& file_;
  const TransferOptions& options_;
  PartFile& part_;
  PartSink sink_;
  RetrySchedule schedule_;
  std::uint64_t most_bytes_;
  int restarts_ = 0;
};

Status Attempts::Run() {
  for (int wrong_sums = 0;; ++wrong_sums) {
    EDGEMOE_RETURN_IF_ERROR(Download());
    if (file_.sha256.empty()) return OkStatus();
    EDGEMOE_ASSIGN_OR_RETURN(const bool has_its_sum, HasItsSum());
    if (has_its_sum) return OkStatus();
    if (wrong_sums == 1) {
      part_.Discard();
      return DataLossError(file_.url + ": what it sends does not have the SHA-256 " + file_.sha256 +
                           ", not the second time either; nothing of it was kept");
    }
    EDGEMOE_RETURN_IF_ERROR(part_.Begin(part_.identity()));
  }
}

Status Attempts::Download() {
  while (!IsWhole()) {
    const HttpOutcome outcome = Ask();
    if (outcome.status.ok() && (!part_.identity().bytes || IsWhole())) return OkStatus();
    EDGEMOE_RETURN_IF_ERROR(BeforeNext(outcome));
  }
  return OkStatus();
}

HttpOutcome Attempts::Ask() {
  HttpRequest request{
      .url = file_.url, .token = options_.token, .token_origin = options_.token_origin};
  const bool is_range = part_.bytes() > 0;
  if (is_range) request.first_byte = part_.bytes();
  // With a sum, that tells; servers of one file may differ in their validators.
  if (is_range && file_.sha256.empty()) request.if_range = part_.identity().validator;
  sink_.Expect(is_range);
  return client_.Get(request, sink_);
}

Status Attempts::BeforeNext(const HttpOutcome& outcome) {
  if (part_.bytes() >= most_bytes_ + kProgressBytes) {
    most_bytes_ = part_.bytes();
    schedule_.Progressed();
  }
  const bool has_no_range = outcome.status.code() == StatusCode::kOutOfRange && part_.bytes() > 0;
  if (sink_.is_other() || has_no_range) {
    EDGEMOE_RETURN_IF_ERROR(Restart(outcome.status));
  } else if (!outcome.status.ok() && !outcome.is_retryable) {
    return outcome.status;
  } else if (file_.sha256.empty() && part_.identity().validator.empty() && part_.bytes() > 0) {
    EDGEMOE_RETURN_IF_ERROR(
        Restart(outcome.status));  // nothing tells whether the rest belongs to it
  }
  if (client_.WaitForRetry(options_.retry, schedule_, outcome.head)) return OkStatus();
  if (options_.cancelled != nullptr && options_.cancelled->load())
    return CancelledError("the download was cancelled");
  std::string text =
      outcome.status.ok() ? file_.url + ": its answer ended too early" : outcome.status.message();
  if (outcome.head.retry_after_s)
    text += "; it asks to wait " + std::to_string(*outcome.head.retry_after_s) + " s";
  return Status(outcome.status.ok() ? StatusCode::kUnavailable : outcome.status.code(),
                text + "; gave up after " + std::to_string(schedule_.attempts()) +
                    " attempts without progress; the next pull goes on from " +
                    FormatByteSize(part_.bytes()));
}

Status Attempts::Restart(const Status& why) {
  if (++restarts_ > kRestartsMax) return why;
  PartIdentity identity = part_.identity();
  identity.bytes = file_.bytes;
  identity.validator = file_.validator;
  return part_.Begin(std::move(identity));
}

Result<bool> Attempts::HasItsSum() {
  while (true) {
    if (const std::optional<Result<std::string>> digest = part_.TryDigest()) {
      if (!*digest) return Failure(digest->error());
      return **digest == file_.sha256;
    }
    if (options_.cancelled != nullptr && options_.cancelled->load())
      return Failure(CancelledError("the download was cancelled"));
    if (options_.progress) options_.progress(part_.hashed_bytes(), true);
  }
}

class HeadSink final : public HttpSink {
 public:
  Status OnHead(const HttpHead& head) override {
    head_ = head;
    return OkStatus();
  }
  // The head was all that was wanted.
  Status OnBody(std::span<const std::byte>) override { return CancelledError("head"); }
  std::optional<HttpHead> TakeHead() { return std::move(head_); }

 private:
  std::optional<HttpHead> head_;
};

}  // namespace

Result<PartFile> Transfer(HttpClient& client, const TransferFile& file,
                          const TransferOptions& options) {
  EDGEMOE_ASSIGN_OR_FAIL(PartFile part, PartFile::Open(options.folder, file.name,
                                                       {.source = file.url,
                                                        .sha256 = file.sha256,
                                                        .validator = file.validator,
                                                        .bytes = file.bytes}));
  if (options.progress) options.progress(part.bytes(), false);
  EDGEMOE_FAIL_IF_ERROR(Attempts(client, file, options, part).Run());
  return part;
}

Result<HttpHead> Probe(HttpClient& client, const std::string& url, const RetryOptions& retry) {
  RetrySchedule schedule(retry);
  while (true) {
    HeadSink sink;
    const HttpOutcome outcome = client.Get({.url = url, .first_byte = 0, .last_byte = 0}, sink);
    if (std::optional<HttpHead> head = sink.TakeHead()) {
      if (head->status == 200) head->total_bytes = head->content_bytes;
      return *std::move(head);
    }
    if (!outcome.is_retryable || !client.WaitForRetry(retry, schedule, outcome.head))
      return Failure(outcome.status);
  }
}

Status CheckFreeSpace(const std::string& folder, std::uint64_t needed_bytes,
                      std::uint64_t reserve_bytes) {
  struct statvfs space = {};
  if (::statvfs(folder.c_str(), &space) != 0)
    return ErrnoStatus(errno, "look at the free space of " + folder);
  const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  if (free_bytes >= needed_bytes && free_bytes - needed_bytes >= reserve_bytes) return OkStatus();
  return ResourceExhaustedError(folder + ": needed: " + FormatLeastByteSize(needed_bytes) +
                                " and a reserve of " + FormatByteSize(reserve_bytes) +
                                "; free: " + FormatByteSize(free_bytes) +
                                "; make room, then the next pull goes on")
      .WithReason(Reason::kStorageFull);
}

}  // namespace edgemoe
