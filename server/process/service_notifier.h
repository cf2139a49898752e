// SPDX-License-Identifier: Apache-2.0
//
// Tells systemd how the daemon is doing (sd_notify). Without systemd every call does nothing.
// Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace edgemoe {

class ServiceNotifier {
 public:
  // `systemctl status` shows it. Asks for `extend_ms` more before systemd gives up on a start or a
  // stop; 0 asks for nothing.
  void Status(const std::string& text, std::uint64_t extend_ms) const;
  void Ready(const std::string& text) const;
  void Reloading() const;  // until Ready
  void Stopping(std::uint64_t extend_ms) const;
  void KeepAlive() const;

  // How often KeepAlive is expected; 0: never.
  static std::uint64_t WatchdogMs();
};

}  // namespace edgemoe
