// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "client/cli/doctor/checks/checks.h"
#include "client/cli/terminal/format_text.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

// What is read at random below this makes a token of a model that is larger than memory take
// seconds.
constexpr double kSlowBytesPerSecond = 150e6;
// What `edgemoe pull` leaves free.
constexpr std::uint64_t kReserveBytes = std::uint64_t{1} << 30;

bool IsOneOf(const std::string& name, std::initializer_list<const char*> names) {
  return std::ranges::any_of(names, [&](const char* one) { return name == one; });
}

// What a token costs from here, in figures of the daemon's where it has some.
std::string TokenCost(const Case& known) {
  const auto& plan = known.daemon.plan;
  const auto& probe = known.daemon.probe;
  if (plan && probe && plan->expected_speed().read_bytes_per_token() > 0 &&
      probe->bytes_per_second() > 0) {
    const double bytes = plan->expected_speed().read_bytes_per_token();
    return Format("the loaded model reads %s a token, which takes %.2f s here",
                  SizeText(bytes).c_str(), bytes / probe->bytes_per_second());
  }
  // 48 layers, 8 experts a token in each, 2.6 MiB an expert; 40 MB/s.
  return "a token of Qwen3-30B-A3B at Q4_K_M uses 1 GiB of experts: with three quarters of them in "
         "memory it waits 6 s for a card that gives 40 MB/s, and less than 1 s for an SSD";
}

Finding DiskFinding(const Case& known, const Disk& disk) {
  const std::string check = "storage kind";
  std::string text = DiskText(disk);
  if (disk.kind == DiskKind::kSdCard)
    return {check, FindingLevel::kWarning,
            text + ": cards give 20 to 90 MB/s of random reads; " + TokenCost(known),
            "move the models to an NVMe or USB 3 SSD, and name it: models.directory, model.path"};
  if (disk.rotational)
    return {check, FindingLevel::kWarning,
            text + ": each expert costs a seek of its head, about 10 ms; " + TokenCost(known),
            "move the models to an SSD, and name it: models.directory, model.path"};
  if (disk.kind == DiskKind::kUsb && disk.usb_megabits > 0) {
    text += Format(", %lld Mbit/s", static_cast<long long>(disk.usb_megabits));
    if (disk.usb_megabits <= 480)
      return {check, FindingLevel::kWarning,
              text + ": USB 2 gives 40 MB/s at most, whatever the disk could; " + TokenCost(known),
              "plug it into a USB 3 port (blue), with a cable for USB 3"};
  }
  if (disk.kind == DiskKind::kNvme && disk.pcie_gigatransfers > 0)
    text += Format(", PCIe at %.1f GT/s on %lld lanes", disk.pcie_gigatransfers,
                   static_cast<long long>(disk.pcie_lanes));
  if (disk.kind == DiskKind::kNetwork)
    return {check, FindingLevel::kWarning, text + ": each expert waits for the network",
            "copy the model to a disk of this machine"};
  if (disk.kind == DiskKind::kUnknown || disk.kind == DiskKind::kEmmc)
    return {check, FindingLevel::kNote, text, ""};
  const bool slow_link = known.board.kind == BoardKind::kRaspberryPi &&
                         disk.pcie_gigatransfers > 0 && disk.pcie_gigatransfers < 8 &&
                         disk.pcie_gigatransfers_max >= 8;
  if (slow_link)
    return {check, FindingLevel::kNote,
            text +
                "; many disks and boards also run at 8 GT/s, twice as fast, which the "
                "Raspberry Pi is not certified for",
            "echo dtparam=pciex1_gen=3 | sudo tee -a /boot/firmware/config.txt && sudo reboot"};
  return {check, FindingLevel::kOk, text, ""};
}

// A file system that says more than the disk under it; nothing: an ordinary one.
std::optional<Finding> FileSystemFinding(const Mount& mount) {
  const std::string text = mount.file_system + " at " + mount.point;
  if (IsOneOf(mount.file_system,
              {"nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.sshfs", "afs", "fuse.glusterfs"}))
    return Finding{"storage kind", FindingLevel::kWarning,
                   text + ": a network's file system; each expert waits for the network",
                   "copy the model to a disk of this machine"};
  if (mount.file_system == "overlay")
    return Finding{"storage kind", FindingLevel::kNote,
                   text + ": a container's layers, which are gone with it; the disk is unknown",
                   "mount a volume of the host for models: -v /srv/models:/var/lib/edgemoe/models"};
  if (IsOneOf(mount.file_system, {"tmpfs", "ramfs"}))
    return Finding{"storage kind", FindingLevel::kWarning,
                   text + ": models here take memory that the daemon wants",
                   "move the models to a disk"};
  if (IsOneOf(mount.file_system, {"9p", "virtiofs"}))
    return Finding{"storage kind", FindingLevel::kNote,
                   text + ": a folder of the host; the disk is unknown", ""};
  return std::nullopt;
}

void AddKinds(const Case& known, Findings& findings) {
  if (!known.place.mount) {
    findings.push_back(
        {"storage kind", FindingLevel::kNote,
         "unknown: /proc/self/mountinfo does not tell what " + known.place.path + " is on", ""});
    return;
  }
  if (auto finding = FileSystemFinding(*known.place.mount)) {
    findings.push_back(*std::move(finding));
    return;
  }
  if (known.place.disks.empty())
    findings.push_back(
        {"storage kind", FindingLevel::kNote,
         "unknown: " + known.place.mount->file_system + " on " + known.place.mount->source, ""});
  for (const Disk& disk : known.place.disks) {
    findings.push_back(DiskFinding(known, disk));
    findings.back().found = known.place.path + " is on " + findings.back().found;
  }
}

void AddSpace(const StorageAnswers& answers, const std::string& path, Findings& findings) {
  if (answers.direct && *answers.direct)
    findings.push_back({"direct reads", FindingLevel::kOk, "the file system has O_DIRECT", ""});
  else if (answers.direct)
    findings.push_back({"direct reads", FindingLevel::kWarning,
                        "the file system has no O_DIRECT: experts are read through the page cache, "
                        "which takes memory and time",
                        "keep models on ext4, xfs, btrfs or f2fs"});
  else
    findings.push_back({"direct reads", FindingLevel::kNote,
                        "unknown: no file in " + path + " could be read or made",
                        "sudo edgemoe doctor"});
  const std::string room =
      SizeText(answers.free_bytes) + " free of " + SizeText(answers.total_bytes) + " at " + path;
  if (answers.free_bytes >= kReserveBytes)
    findings.push_back({"free space", FindingLevel::kOk, room, ""});
  else
    findings.push_back({"free space", FindingLevel::kWarning,
                        room + ": `edgemoe pull` and `edgemoe pack` leave 1 GiB free, so there is "
                               "no room for another model",
                        "edgemoe models    # then edgemoe models rm NAME"});
}

Finding SpeedFinding(const Case& known) {
  const DaemonAnswers& daemon = known.daemon;
  if (!daemon.probe) {
    const std::string why = !daemon.connected.ok() ? "a daemon that serves a model measures it"
                            : !daemon.served.ok()  ? "no model is served: " + daemon.served.message
                                                   : daemon.probed.message;
    const bool denied = daemon.probed.code == client::StatusCode::kPermissionDenied;
    return {"storage speed", FindingLevel::kNote, "unknown: " + why,
            denied ? "sudo edgemoe probe" : "edgemoe probe    # once the daemon runs"};
  }
  const v1::ProbeResponse& probe = *daemon.probe;
  std::string text = Format(
      "%.0f MB/s in reads of %s at random places, %u in flight; one of 4 KiB "
      "takes %.0f us",
      probe.bytes_per_second() / 1e6, SizeText(std::uint64_t{probe.read_bytes()}).c_str(),
      probe.depth(), probe.small_read_seconds() * 1e6);
  if (!probe.note().empty())
    return {"storage speed", FindingLevel::kNote, text + ", but " + probe.note(),
            "edgemoe probe --fresh"};
  if (probe.bytes_per_second() >= kSlowBytesPerSecond)
    return {"storage speed", FindingLevel::kOk, text, ""};
  return {"storage speed", FindingLevel::kWarning, text + "; " + TokenCost(known),
          "edgemoe probe --fresh    # where something else used the disk meanwhile"};
}

void AddExpected(const Case& known, Findings& findings) {
  // Slower than people read.
  constexpr double kSlowTokensPerSecond = 5;
  if (!known.daemon.plan || !known.daemon.plan->has_expected_speed()) return;
  const v1::ExpectedSpeed& expected = known.daemon.plan->expected_speed();
  const bool by_storage = expected.bound() == v1::SPEED_BOUND_STORAGE;
  const bool slow = expected.tokens_per_second() < kSlowTokensPerSecond;
  findings.push_back(
      {"expected speed", slow ? FindingLevel::kNote : FindingLevel::kOk,
       Format("%.1f tokens a second of the loaded model, bound by %s", expected.tokens_per_second(),
              by_storage ? "reading experts" : "computing"),
       slow ? "edgemoe plan    # what more memory would change; edgemoe pack: fewer bits" : ""});
}

}  // namespace

void CheckStorage(const Case& known, Findings& findings) {
  if (known.place.path.empty()) {
    findings.push_back({"storage kind", FindingLevel::kNote,
                        "unknown: no daemon and no configuration says where models lie",
                        "edgemoe doctor FOLDER    # where they will"});
    return;
  }
  AddKinds(known, findings);
  if (const auto answers = known.machine.calls().look_at_storage(known.place.path))
    AddSpace(*answers, known.place.path, findings);
  else
    findings.push_back({"free space", FindingLevel::kNote,
                        "unknown: " + known.place.path + " cannot be looked at", ""});
  findings.push_back(SpeedFinding(known));
  AddExpected(known, findings);
}

}  // namespace edgemoe::cli
