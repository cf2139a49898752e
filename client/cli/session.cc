// SPDX-License-Identifier: Apache-2.0
#include "client/cli/session.h"

#include <utility>

namespace edgemoe::cli {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRetryInterval{250};

}  // namespace

Session::Session(CommonOptions options) : options_(std::move(options)) {}

client::Status Session::Connect() {
  if (client_) return client::Status();
  const auto deadline = start_ + std::chrono::seconds(options_.wait_seconds.value_or(0));
  for (;;) {
    auto client = client::Client::Connect(options_.address);
    if (client) {
      client_.emplace(std::move(*client));
      status_line_.Clear();
      return client::Status();
    }
    if (client.error().code != client::StatusCode::kUnavailable ||
        !WaitBefore(deadline, "waiting for the daemon: " + client.error().message))
      return client.error();
  }
}

void Session::Forget(const client::Status& status) {
  start_ = steady_clock::now();
  interrupted_ = false;
  if (status.code == client::StatusCode::kUnavailable) client_.reset();
}

bool Session::WaitToRetry(client::Status& status) {
  if (status.code != client::StatusCode::kUnavailable) return false;
  // A model that cannot be read stays so, as far as anybody knows.
  if (status.reason == "MODEL_UNAVAILABLE" && !options_.wait_seconds) return false;
  const auto wait =
      options_.wait_seconds ? std::chrono::seconds(*options_.wait_seconds) : kLoadingWait;
  if (!WaitBefore(start_ + wait, "waiting for the daemon: " + status.message)) return false;
  client_.reset();
  if (client::Status connected = Connect(); !connected.ok()) {
    status = std::move(connected);
    return false;
  }
  return true;
}

bool Session::WaitBefore(steady_clock::time_point deadline, const std::string& reason) {
  if (steady_clock::now() >= deadline) {
    status_line_.Clear();
    return false;
  }
  status_line_.Show(reason);
  interrupted_ = interrupts_.WaitFor(kRetryInterval);
  if (interrupted_) status_line_.Clear();
  return !interrupted_;
}

ExitCode Session::Interrupted() const {
  if (options_.json) (void)ReportError({client::StatusCode::kCancelled, "interrupted", {}}, true);
  return ExitCode::kInterrupted;
}

ExitCode Session::Fail(const client::Status& status) const {
  if (interrupted_) return Interrupted();
  return ReportError(status, options_.json);
}

}  // namespace edgemoe::cli
