// SPDX-License-Identifier: Apache-2.0
#include "server/process/service_notifier.h"

#include <systemd/sd-daemon.h>

#include <ctime>

namespace edgemoe {
namespace {

void Notify(const std::string& message) {
  // Fails only where nobody listens.
  (void)::sd_notify(0, message.c_str());
}

std::string Extend(std::uint64_t extend_ms) {
  return extend_ms == 0 ? "" : "\nEXTEND_TIMEOUT_USEC=" + std::to_string(extend_ms * 1000);
}

}  // namespace

void ServiceNotifier::Status(const std::string& text, std::uint64_t extend_ms) const {
  Notify("STATUS=" + text + Extend(extend_ms));
}

void ServiceNotifier::Ready(const std::string& text) const { Notify("READY=1\nSTATUS=" + text); }

void ServiceNotifier::Reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto now_us = std::uint64_t(now.tv_sec) * 1'000'000 + std::uint64_t(now.tv_nsec) / 1000;
  Notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

void ServiceNotifier::Stopping(std::uint64_t extend_ms) const {
  Notify("STOPPING=1\nSTATUS=Stopping" + Extend(extend_ms));
}

void ServiceNotifier::KeepAlive() const { Notify("WATCHDOG=1"); }

std::uint64_t ServiceNotifier::WatchdogMs() {
  std::uint64_t interval_us = 0;
  return ::sd_watchdog_enabled(0, &interval_us) > 0 ? interval_us / 1000 : 0;
}

}  // namespace edgemoe
