// SPDX-License-Identifier: Apache-2.0
#include "client/cli/doctor/facts/board.h"

#include <algorithm>

namespace edgemoe::cli {
namespace {

bool HasWord(const std::string& line, const std::string& word) {
  const std::vector<std::string> words = WordsIn(line);
  return std::ranges::find(words, word) != words.end();
}

std::string CommandLineFile(const Machine& machine, const Board& board) {
  if (board.kind == BoardKind::kRaspberryPi) {
    // Of bookworm and later, then of what was before.
    for (const char* const path : {"/boot/firmware/cmdline.txt", "/boot/cmdline.txt"})
      if (machine.Exists(path)) return path;
    return "/boot/firmware/cmdline.txt";
  }
  return board.kind == BoardKind::kJetson ? "/boot/extlinux/extlinux.conf" : "/etc/default/grub";
}

// Product names of firmware that emulators and hypervisors bring.
bool IsVirtualProduct(const std::string& text) {
  const char* const kNames[] = {"QEMU", "KVM",   "VMware",         "VirtualBox", "Virtual Machine",
                                "Xen",  "Bochs", "Google Compute", "OpenStack",  "Amazon EC2"};
  return std::ranges::any_of(
      kNames, [&](const char* name) { return text.find(name) != std::string::npos; });
}

}  // namespace

Board IdentifyBoard(const Machine& machine) {
  Board board;
  board.name = machine.Line("/proc/device-tree/model");
  if (board.name.starts_with("Raspberry Pi"))
    board.kind = BoardKind::kRaspberryPi;
  else if (board.name.find("Jetson") != std::string::npos ||
           machine.Exists("/etc/nv_tegra_release"))
    board.kind = BoardKind::kJetson;
  const std::string vendor = machine.Line("/sys/class/dmi/id/sys_vendor");
  const std::string product = machine.Line("/sys/class/dmi/id/product_name");
  if (board.name.empty()) board.name = vendor + (vendor.empty() ? "" : " ") + product;
  board.container = machine.Exists("/.dockerenv") || machine.Exists("/run/.containerenv") ||
                    machine.Exists("/run/systemd/container");
  board.virtual_machine =
      IsVirtualProduct(vendor + " " + product) ||
      machine.Text("/proc/cpuinfo").value_or("").find(" hypervisor") != std::string::npos;
  return board;
}

std::string AddKernelWord(const Machine& machine, const Board& board, const std::string& word) {
  if (board.container) return "on the host of this container: `edgemoe doctor`";
  const std::string file = CommandLineFile(machine, board);
  if (HasWord(machine.Text(file).value_or(""), word) && board.kind == BoardKind::kRaspberryPi)
    return "sudo reboot    # " + word + " is in " + file + " already";
  const std::string edit = "sudo sed -i ";
  switch (board.kind) {
    case BoardKind::kRaspberryPi:
      return edit + "'1s/$/ " + word + "/' " + file + "    # appends it to the one line\n" +
             "sudo reboot";
    case BoardKind::kJetson:
      return edit + "'/^ *APPEND/s/$/ " + word + "/' " + file + "\nsudo reboot";
    case BoardKind::kOther: break;
  }
  return edit + "'/^GRUB_CMDLINE_LINUX=/s/\"$/ " + word + "\"/' " + file +
         "\nsudo update-grub && sudo reboot";
}

}  // namespace edgemoe::cli
