// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "client/cli/doctor/checks/checks.h"
#include "client/cli/terminal/size_text.h"

namespace edgemoe::cli {
namespace {

constexpr std::size_t kSwapsMax = 32;

struct Swap {
  std::string path;
  bool is_file = false;
  std::vector<Disk> disks{};
};

// Lines of /proc/swaps below its heading: "/dev/sda2 partition 4194300 0 -2", in KiB.
std::vector<Swap> SwapsOf(const Machine& machine) {
  std::vector<Swap> swaps;
  for (const std::string& line : LinesIn(machine.Text("/proc/swaps").value_or(""))) {
    const std::vector<std::string> words = WordsIn(line);
    if (words.size() < 5 || !words[0].starts_with('/') || swaps.size() == kSwapsMax) continue;
    Swap swap{.path = Unescape(words[0]), .is_file = words[1] == "file"};
    if (!swap.is_file)
      swap.disks = DisksUnder(machine, swap.path);
    else if (const auto mount = MountOf(machine, swap.path))
      swap.disks = DisksUnder(machine, *mount);
    swaps.push_back(std::move(swap));
  }
  return swaps;
}

bool InMemory(const Swap& swap) {
  return !swap.disks.empty() && std::ranges::all_of(swap.disks, [](const Disk& disk) {
    return disk.kind == DiskKind::kMemory;
  });
}

bool Shares(const Swap& swap, const std::vector<Disk>& disks) {
  return std::ranges::any_of(swap.disks, [&](const Disk& disk) {
    return std::ranges::any_of(disks, [&](const Disk& other) { return other.name == disk.name; });
  });
}

std::string MendSwap(const Machine& machine, const Swap& swap) {
  if (machine.Exists("/etc/dphys-swapfile"))
    return "sudo dphys-swapfile swapoff && sudo systemctl disable dphys-swapfile";
  return "sudo swapoff " + swap.path + "    # and take its line out of /etc/fstab";
}

}  // namespace

void CheckSwap(const Case& known, Findings& findings) {
  if (!known.machine.Text("/proc/swaps")) {
    findings.push_back({"swap", FindingLevel::kNote, "unknown: /proc/swaps cannot be read", ""});
    return;
  }
  const std::vector<Swap> swaps = SwapsOf(known.machine);
  if (swaps.empty()) findings.push_back({"swap", FindingLevel::kOk, "none", ""});
  for (const Swap& swap : swaps) {
    if (InMemory(swap))
      findings.push_back({"swap", FindingLevel::kOk, swap.path + ", compressed in memory", ""});
    else if (Shares(swap, known.place.disks))
      findings.push_back({"swap", FindingLevel::kWarning,
                          swap.path + " is on the model's own disk, " +
                              DiskText(swap.disks.front()) +
                              ": what is swapped and what is read of experts slow each other down",
                          MendSwap(known.machine, swap)});
    else if (swap.disks.empty() || known.place.disks.empty())
      findings.push_back({"swap", FindingLevel::kNote,
                          swap.path + ": unknown whether it is on the model's disk", ""});
    else
      findings.push_back(
          {"swap", FindingLevel::kOk,
           swap.path + ", on another disk than the model: " + DiskText(swap.disks.front()), ""});
  }
}

}  // namespace edgemoe::cli
