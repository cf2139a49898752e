// SPDX-License-Identifier: Apache-2.0
#include "engine/serving/storage_guard.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace edgemoe {
namespace {

std::uint64_t PauseNs(std::uint32_t tries) {
  const std::uint32_t doublings = std::min(tries - 1, 6u);  // 64 s are more than the most
  return std::min(StorageGuard::kRetryFirstNs << doublings, StorageGuard::kRetryLastNs);
}

}  // namespace

std::optional<std::uint64_t> StorageGuard::Look() {
  if (tries_ == 0) return parts_.stack->verifier().FilesInDoubt() ? Try() : std::nullopt;
  if (hopeless_ || tries_ >= kTriesMax) return std::nullopt;
  if (parts_.clock->NowNs() < next_try_ns_) return next_try_ns_;
  return Try();
}

std::optional<std::uint64_t> StorageGuard::Try() {
  if (const std::optional<ExpertKey> suspect = parts_.stack->verifier().suspect())
    suspect_ = suspect;
  const Status status = Reopen();
  if (!status.ok()) return Failed(status);
  Recovered();
  return std::nullopt;
}

Status StorageGuard::Reopen() {
  ExpertVerifier& verifier = parts_.stack->verifier();
  EDGEMOE_ASSIGN_OR_RETURN(std::vector<StorageFile> opened, ReopenModelFiles(parts_.model));
  std::vector<StorageFile>& files = *parts_.files;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (verifier.unknown_count() == 0 || opened[i].identity() == files[i].identity()) continue;
    hopeless_ = true;
    return FailedPreconditionError(
        opened[i].path() + ": it has changed, and " + std::to_string(verifier.unknown_count()) +
        " experts had not been read before, whose bytes cannot be told from others; start the "
        "daemon anew");
  }
  parts_.stack->pipeline().Quiesce();
  std::ranges::move(opened, files.begin());
  parts_.reader->OnFilesReopened();
  verifier.OnReopened();
  if (!suspect_) return OkStatus();
  EDGEMOE_RETURN_IF_ERROR(parts_.stack->pipeline().Probe(*suspect_));
  suspect_.reset();
  return OkStatus();
}

void StorageGuard::Recovered() {
  Log(LogLevel::kWarning,
      "the model's files had changed or could not be read: they are opened again, have the same "
      "header, and each expert is compared with its checksum when it is next read");
  if (std::exchange(tries_, 0) > 0) Publish(OkStatus());
}

std::optional<std::uint64_t> StorageGuard::Failed(const Status& cause) {
  ++tries_;
  next_try_ns_ = parts_.clock->NowNs() + PauseNs(tries_);
  const bool last = hopeless_ || tries_ == kTriesMax;
  const Status status = UnavailableError("the model is unavailable: " + cause.message());
  if (status != this->status()) {
    Log(LogLevel::kError, status.message() + (last ? "" : "; this is tried again"));
    Publish(status);
  } else if (last) {
    Log(LogLevel::kError, status.message() + "; given up after " + std::to_string(tries_) +
                              " tries, start the daemon anew");
  }
  return last ? std::nullopt : std::optional(next_try_ns_);
}

Status StorageGuard::status() const {
  const MutexLock lock(mutex_);
  return published_;
}

void StorageGuard::Publish(const Status& status) {
  {
    const MutexLock lock(mutex_);
    published_ = status;
  }
  if (parts_.on_change) parts_.on_change();
}

void StorageGuard::Log(LogLevel level, const std::string& line) const {
  if (parts_.log) parts_.log(level, line);
}

}  // namespace edgemoe
