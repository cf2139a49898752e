// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "client/cli/doctor/facts/machine.h"

namespace edgemoe::cli {

struct Mount {
  std::string device;       // "179:2": major and minor number; major 0: no device of its own
  std::string point;        // "/"
  std::string file_system;  // "ext4"
  std::string source;       // "/dev/mmcblk0p2"
};

// What `path` lies on, which need not exist; nothing where /proc/self/mountinfo does not say.
std::optional<Mount> MountOf(const Machine& machine, const std::string& path);

// With the octal escapes of /proc files, as \040 for a blank, put back.
std::string Unescape(const std::string& text);

}  // namespace edgemoe::cli
