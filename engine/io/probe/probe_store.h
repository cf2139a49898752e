// SPDX-License-Identifier: Apache-2.0
//
// Keeps what a probe found across restarts: one small JSON file for each storage.
#pragma once

#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/io/probe/device_probe.h"

namespace edgemoe {

// Of the way of measuring and choosing; what another version kept is measured anew.
constexpr int kProbeVersion = 2;

// In `directory`: "device-probe-259_1-ext4-auto.json".
std::string ProbeStorePath(const std::string& directory, const StorageKey& key);

// Nothing when there is no such file, or one that is not as WriteProbe leaves it: damaged, of
// another version or another storage.
std::optional<DeviceProbe> ReadProbe(const std::string& path, const StorageKey& key);

// Replaces the file at once: a reader sees the old one or the new one, whatever happens. Makes its
// directory where that is missing. Errors name the path.
Status WriteProbe(const std::string& path, const DeviceProbe& probe);

}  // namespace edgemoe
