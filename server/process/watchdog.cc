// SPDX-License-Identifier: Apache-2.0
#include "server/process/watchdog.h"

#include <chrono>
#include <string>

namespace edgemoe {

void Watchdog::Start() {
  interval_ms_ = ServiceNotifier::WatchdogMs();
  if (interval_ms_ != 0) Feed();
}

void Watchdog::Feed() {
  if (GetsOn()) notifier_.KeepAlive();
  timer_.expires_after(std::chrono::milliseconds(interval_ms_ / 2));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Feed();
  });
}

bool Watchdog::GetsOn() {
  const std::optional<Pulse> pulse = outside_.pulse();
  const bool rests = !pulse || pulse->rests;
  const bool was_stuck = is_stuck_;
  is_stuck_ = !rests && beats_ && *beats_ == pulse->beats;
  beats_ = rests ? std::nullopt : std::optional(pulse->beats);
  if (is_stuck_ && !was_stuck) {
    const std::string line =
        "the engine's thread does not get on: no layer was computed and no read has landed since "
        "the last look; systemd's watchdog is not fed until it does";
    if (outside_.log) outside_.log(LogLevel::kError, line);
    notifier_.Status("Stuck: " + line, 0);
  } else if (was_stuck && !is_stuck_) {
    if (outside_.log) outside_.log(LogLevel::kWarning, "the engine's thread gets on again");
    outside_.recovered();
  }
  return !is_stuck_;
}

}  // namespace edgemoe
