// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/facts/disk.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <utility>

namespace edgemoe::cli {
namespace {

// Volumes on mappings on RAIDs on files.
constexpr std::size_t kDevicesMax = 64;
constexpr int kFoldersMax = 16;

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "5.0 GT/s PCIe"; 0 for any other text.
double Gigatransfers(const std::string& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_rate = parsed.ec == std::errc() && text.find(" GT/s") != std::string::npos;
  return is_rate && value > 0 && value < 1000 ? value : 0;
}

// The nearest folder from `folder` upwards that has the file.
std::optional<std::string> FolderWith(const Machine& machine, std::string folder,
                                      const std::string& file) {
  for (int i = 0; i < kFoldersMax && folder.size() > 1; ++i) {
    if (machine.Exists(folder + "/" + file)) return folder;
    folder = Parent(folder);
  }
  return std::nullopt;
}

bool StartsWithAny(const std::string& name, std::initializer_list<const char*> starts) {
  return std::ranges::any_of(starts, [&](const char* start) { return name.starts_with(start); });
}

DiskKind KindOf(const Machine& machine, const std::string& folder) {
  const std::string name = NameOf(folder);
  if (name.starts_with("mmcblk"))
    return machine.Line(folder + "/device/type") == "SD" ? DiskKind::kSdCard : DiskKind::kEmmc;
  if (name.starts_with("nvme")) return DiskKind::kNvme;
  if (StartsWithAny(name, {"zram", "ram"})) return DiskKind::kMemory;
  if (StartsWithAny(name, {"nbd", "rbd", "drbd"})) return DiskKind::kNetwork;
  if (StartsWithAny(name, {"vd", "xvd"})) return DiskKind::kVirtual;
  if (folder.find("/usb") != std::string::npos) return DiskKind::kUsb;
  if (folder.find("/ata") != std::string::npos) return DiskKind::kSata;
  if (folder.find("/virtio") != std::string::npos) return DiskKind::kVirtual;
  return name.starts_with("sd") ? DiskKind::kScsi : DiskKind::kUnknown;
}

Disk DescribeDisk(const Machine& machine, const std::string& folder) {
  Disk disk{.name = NameOf(folder), .kind = KindOf(machine, folder)};
  disk.model = machine.Line(folder + "/device/model");
  if (disk.model.empty()) disk.model = machine.Line(folder + "/device/name");
  const bool may_turn =
      disk.kind == DiskKind::kUsb || disk.kind == DiskKind::kSata || disk.kind == DiskKind::kScsi;
  disk.rotational = may_turn && machine.Number(folder + "/queue/rotational") == 1;
  if (disk.kind == DiskKind::kUsb)
    if (const auto port = FolderWith(machine, folder, "speed"))
      disk.usb_megabits = machine.Number(*port + "/speed").value_or(0);
  if (disk.kind == DiskKind::kNvme)
    if (const auto link = FolderWith(machine, folder, "current_link_speed")) {
      disk.pcie_gigatransfers = Gigatransfers(machine.Line(*link + "/current_link_speed"));
      disk.pcie_gigatransfers_max = Gigatransfers(machine.Line(*link + "/max_link_speed"));
      disk.pcie_lanes = machine.Number(*link + "/current_link_width").value_or(0);
    }
  return disk;
}

// From one block device down to its disks. A device is visited once, so that circles end.
class Walk {
 public:
  explicit Walk(const Machine& machine) : machine_(machine) {}

  void Follow(const Mount& mount) {
    const bool has_number =
        !mount.device.starts_with("0:") && mount.device.find('/') == std::string::npos;
    if (has_number && FollowLink("/sys/dev/block/" + mount.device)) return;
    // btrfs and others have no number of a device, but name it.
    if (mount.source.starts_with("/dev/")) FollowPath(mount.source);
  }
  void FollowPath(const std::string& device_path) {
    const std::string real = machine_.RealPath(device_path).value_or(device_path);
    FollowLink("/sys/class/block/" + NameOf(real));
  }
  std::vector<Disk> TakeDisks() { return std::move(disks_); }

 private:
  // False where no device is behind it.
  bool FollowLink(const std::string& path) {
    const auto real = machine_.RealPath(path);
    if (!real || !real->starts_with("/sys/")) return false;
    Visit(*real);
    return true;
  }

  // `folder`: of a block device, without links.
  void Visit(std::string folder) {
    if (machine_.Exists(folder + "/partition")) folder = Parent(folder);
    if (seen_.size() >= kDevicesMax || disks_.size() >= kDisksMax) return;
    if (std::ranges::find(seen_, folder) != seen_.end()) return;
    seen_.push_back(folder);
    if (const std::string file = machine_.Line(folder + "/loop/backing_file"); !file.empty()) {
      if (const auto mount = MountOf(machine_, file)) Follow(*mount);
      return;
    }
    const std::vector<std::string> parts = machine_.Names(folder + "/slaves");
    for (const std::string& part : parts) FollowLink(folder + "/slaves/" + part);
    if (parts.empty()) disks_.push_back(DescribeDisk(machine_, folder));
  }

  const Machine& machine_;
  std::vector<std::string> seen_;
  std::vector<Disk> disks_;
};

const char* KindText(DiskKind kind) {
  switch (kind) {
    case DiskKind::kSdCard: return "SD card";
    case DiskKind::kEmmc: return "eMMC";
    case DiskKind::kUsb: return "USB disk";
    case DiskKind::kSata: return "SATA disk";
    case DiskKind::kScsi: return "SCSI disk";
    case DiskKind::kNvme: return "NVMe";
    case DiskKind::kVirtual: return "virtual disk";
    case DiskKind::kMemory: return "memory";
    case DiskKind::kNetwork: return "network disk";
    case DiskKind::kUnknown: break;
  }
  return "disk of unknown kind";
}

}  // namespace

std::string DiskText(const Disk& disk) {
  std::string text =
      std::string(disk.rotational ? "rotating " : "") + KindText(disk.kind) + " " + disk.name;
  if (!disk.model.empty()) text += " (" + disk.model + ")";
  return text;
}

std::vector<Disk> DisksUnder(const Machine& machine, const Mount& mount) {
  Walk walk(machine);
  walk.Follow(mount);
  return walk.TakeDisks();
}

std::vector<Disk> DisksUnder(const Machine& machine, const std::string& device_path) {
  Walk walk(machine);
  walk.FollowPath(device_path);
  return walk.TakeDisks();
}

}  // namespace edgemoe::cli
