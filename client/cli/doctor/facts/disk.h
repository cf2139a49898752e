// SPDX-License-Identifier: Apache-2.0
//
// Which disks lie under a block device, by /sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/doctor/facts/machine.h"
#include "client/cli/doctor/facts/mount.h"

namespace edgemoe::cli {

enum class DiskKind : std::uint8_t {
  kUnknown,
  kSdCard,
  kEmmc,
  kUsb,
  kSata,
  kScsi,
  kNvme,
  kVirtual,  // of a virtual machine
  kMemory,   // zram, a RAM disk
  kNetwork,
};

struct Disk {
  std::string name;  // "mmcblk0"
  DiskKind kind = DiskKind::kUnknown;
  std::string model{};      // empty: it does not say
  bool rotational = false;  // of a virtual disk never
  // USB: megabits a second. NVMe: the PCIe link's GT/s now and at most, and its lanes. 0: unknown.
  std::int64_t usb_megabits = 0;
  double pcie_gigatransfers = 0;
  double pcie_gigatransfers_max = 0;
  std::int64_t pcie_lanes = 0;
};

// "SD card mmcblk0 (SC64G)".
std::string DiskText(const Disk& disk);

// Under what was mounted, or under a device by its path in /dev: partitions, volumes and mappings
// are followed to their disks, and files that stand for devices to what they lie on. At most
// kDisksMax; none: unknown, or no device.
constexpr std::size_t kDisksMax = 16;
std::vector<Disk> DisksUnder(const Machine& machine, const Mount& mount);
std::vector<Disk> DisksUnder(const Machine& machine, const std::string& device_path);

}  // namespace edgemoe::cli
