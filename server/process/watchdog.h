// SPDX-License-Identifier: Apache-2.0
//
// Feeds systemd's watchdog as long as the engine's thread gets on or has nothing to do.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "engine/base/heartbeat.h"
#include "engine/base/log.h"
#include "server/process/service_notifier.h"

namespace edgemoe {

// Thread-compatible: the io_context's thread.
class Watchdog {
 public:
  struct Outside {
    std::function<std::optional<Pulse>()> pulse;  // none: there is no engine
    std::function<void()> recovered;              // the thread gets on after it did not
    LogSink log;
  };

  // Both outlive the watchdog.
  Watchdog(boost::asio::io_context& context, const ServiceNotifier& notifier, Outside outside)
      : notifier_(notifier), outside_(std::move(outside)), timer_(context) {}

  // Where systemd keeps no watch, nothing is done.
  void Start();

 private:
  void Feed();
  // Whether the thread is not stuck; says so when that changes.
  bool GetsOn();

  const ServiceNotifier& notifier_;
  const Outside outside_;
  boost::asio::steady_timer timer_;
  std::uint64_t interval_ms_ = 0;
  std::optional<std::uint64_t> beats_;  // at the last look; none: it rested, or there was none
  bool is_stuck_ = false;
};

}  // namespace edgemoe
