// SPDX-License-Identifier: Apache-2.0
#include "tests/client/fake_machine.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace edgemoe {

namespace fs = std::filesystem;

FakeMachine::FakeMachine()
    : storage(cli::StorageAnswers{
          .free_bytes = 50ULL << 30, .total_bytes = 64ULL << 30, .direct = true}) {
  daemon.connected = {client::StatusCode::kUnavailable, "there is no socket"};
  fs::create_directories(folder_ / kFakeModels);
  Write("/proc/meminfo", "MemTotal:  8000000 kB\nMemFree: 7 kB\nMemAvailable: 6000000 kB\n");
  Write("/proc/swaps", "Filename Type Size Used Priority\n");
  Write("/proc/cgroups", "#subsys_name hierarchy num_cgroups enabled\nmemory 0 90 1\n");
  Write("/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  Write("/proc/sys/kernel/osrelease", "6.12.34\n");
  Write("/proc/sys/kernel/io_uring_disabled", "0\n");
  Write("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  Write("/sys/devices/system/cpu/online", "0-3\n");
  Write("/sys/devices/system/cpu/present", "0-3\n");
}

void FakeMachine::Write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(folder_ / path).parent_path());
  std::ofstream(folder_ / path) << text;
}

void FakeMachine::Link(const std::string& path, const std::string& target) {
  const fs::path folder = fs::path(folder_ / path).parent_path();
  fs::create_directories(folder);
  fs::create_symlink(fs::relative(folder_ / target, folder), folder_ / path);
}

void FakeMachine::Remove(const std::string& path) { fs::remove_all(folder_ / path); }

void FakeMachine::AddBlock(const std::string& number, const std::string& disk,
                           const std::string& partition) {
  const std::string name = partition.empty() ? disk.substr(disk.rfind('/') + 1) : partition;
  const std::string path = partition.empty() ? disk : disk + "/" + partition;
  if (!partition.empty()) Write(path + "/partition", "2\n");
  Write(path + "/dev", number + "\n");
  Link("/sys/dev/block/" + number, path);
  Link("/sys/class/block/" + name, path);
}

void FakeMachine::Mount(const std::string& number, const std::string& type,
                        const std::string& source) {
  Write("/proc/self/mountinfo",
        "24 1 " + number + " / / rw,noatime shared:1 - " + type + " " + source + " rw\n");
}

cli::Machine FakeMachine::View() {
  cli::SystemCalls calls;
  calls.run = [this](const std::vector<std::string>& command, const auto&) {
    return RunFake(command);
  };
  calls.look_at_storage = [this](const std::string&) { return storage; };
  return cli::Machine(folder_.path(), answers, std::move(calls));
}

cli::Findings FakeMachine::Examined(const std::string& path) {
  return cli::Examine(View(), daemon, path);
}

client::Result<cli::ProgramEnd> FakeMachine::RunFake(const std::vector<std::string>& command) {
  const auto program = programs.find({command.front(), command.back()});
  if (program != programs.end()) return program->second;
  return tl::unexpected(client::Status{client::StatusCode::kNotFound, "no such program"});
}

std::unique_ptr<FakeMachine> RaspberryPi4() {
  auto pi = std::make_unique<FakeMachine>();
  pi->answers.architecture = "aarch64";
  pi->answers.features.neon = true;
  pi->Write("/proc/device-tree/model", std::string("Raspberry Pi 4 Model B Rev 1.4\0", 31));
  pi->Write("/proc/cpuinfo",
            "CPU implementer : 0x41\nFeatures\t: fp asimd crc32\nCPU part : 0xd08\n");
  pi->Write("/proc/cgroups", "#subsys_name hierarchy num_cgroups enabled\nmemory 0 90 0\n");
  pi->Write("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n");
  pi->Remove("/proc/pressure");
  pi->Write("/boot/firmware/cmdline.txt", "console=serial0,115200 root=PARTUUID=1 rootwait\n");
  const std::string card = "/sys/devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0/mmc0:aaaa";
  pi->Write(card + "/type", "SD\n");
  pi->Write(card + "/name", "SC64G\n");
  pi->AddBlock("179:0", card + "/block/mmcblk0", "");
  pi->Link(card + "/block/mmcblk0/device", card);
  pi->AddBlock("179:2", card + "/block/mmcblk0", "mmcblk0p2");
  pi->Mount("179:2", "ext4", "/dev/root");
  pi->Write("/proc/swaps", "Filename Type Size Used Priority\n/var/swap file 524284 0 -2\n");
  pi->Write("/etc/dphys-swapfile", "CONF_SWAPSIZE=512\n");
  pi->Write("/sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
  pi->Write("/sys/class/thermal/thermal_zone0/temp", "82300\n");
  pi->Write("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
  pi->Write("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "ondemand\n");
  return pi;
}

std::unique_ptr<FakeMachine> RaspberryPi5() {
  auto pi = std::make_unique<FakeMachine>();
  pi->answers.architecture = "aarch64";
  pi->answers.features = {.avx2 = false, .avx512 = false, .neon = true, .neon_dotprod = true};
  pi->answers.page_bytes = 16384;
  pi->Write("/proc/device-tree/model", std::string("Raspberry Pi 5 Model B Rev 1.0\0", 31));
  const std::string link =
      "/sys/devices/platform/axi/1000110000.pcie/pci0001:00/0001:00:00.0/0001:01:00.0";
  pi->Write(link + "/current_link_speed", "5.0 GT/s PCIe\n");
  pi->Write(link + "/max_link_speed", "8.0 GT/s PCIe\n");
  pi->Write(link + "/current_link_width", "1\n");
  pi->Write(link + "/nvme/nvme0/model", "Fast SSD                    \n");
  pi->AddBlock("259:0", link + "/nvme/nvme0/nvme0n1", "");
  pi->Link(link + "/nvme/nvme0/nvme0n1/device", link + "/nvme/nvme0");
  pi->AddBlock("259:2", link + "/nvme/nvme0/nvme0n1", "nvme0n1p2");
  pi->Mount("259:2", "ext4", "/dev/nvme0n1p2");
  pi->AddBlock("251:0", "/sys/devices/virtual/block/zram0", "");
  pi->Write("/proc/swaps",
            "Filename Type Size Used Priority\n/dev/zram0 partition 2097136 0 100\n");
  pi->Write("/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled", "0\n");
  pi->Write("/sys/class/hwmon/hwmon2/name", "rpi_volt\n");
  pi->Write("/sys/class/hwmon/hwmon2/in0_lcrit_alarm", "0\n");
  pi->Write("/sys/class/thermal/thermal_zone0/temp", "51000\n");
  pi->Write("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
  return pi;
}

std::unique_ptr<FakeMachine> JetsonOrin() {
  auto jetson = std::make_unique<FakeMachine>();
  jetson->answers.architecture = "aarch64";
  jetson->answers.features = {.avx2 = false, .avx512 = false, .neon = true, .neon_dotprod = true};
  jetson->Write("/proc/device-tree/model", "NVIDIA Jetson Orin Nano Developer Kit");
  jetson->Write("/proc/sys/kernel/osrelease", "5.15.148-tegra\n");
  jetson->Write("/sys/devices/system/cpu/present", "0-5\n");
  jetson->Write("/etc/nvpmodel.conf",
                "< POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_0 1\n"
                "< POWER_MODEL ID=1 NAME=7W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n");
  jetson->Write("/var/lib/nvpmodel/status", "pmode:0001\n");
  jetson->Write("/boot/extlinux/extlinux.conf", "LABEL primary\n      APPEND ${cbootargs} quiet\n");
  jetson->Remove("/proc/pressure");
  const std::string port = "/sys/devices/platform/bus@0/3610000.usb/usb2/2-1";
  jetson->Write(port + "/speed", "480\n");
  const std::string disk = port + "/2-1:1.0/host0/target0:0:0/0:0:0:0/block/sda";
  jetson->AddBlock("8:0", disk, "");
  jetson->AddBlock("8:1", disk, "sda1");
  jetson->Mount("8:1", "ext4", "/dev/sda1");
  return jetson;
}

std::unique_ptr<FakeMachine> MiniPc() {
  auto pc = std::make_unique<FakeMachine>();
  pc->answers.features.avx2 = true;
  pc->answers.user = "alice";
  pc->answers.is_root = false;
  pc->Write("/proc/cpuinfo", "model name\t: Intel(R) N100\nflags\t\t: fpu avx2 avx_vnni\n");
  pc->Write("/sys/class/dmi/id/sys_vendor", "AZW\n");
  pc->Write("/sys/class/dmi/id/product_name", "MINI S\n");
  const std::string disk =
      "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda";
  pc->AddBlock("8:0", disk, "");
  pc->Write(disk + "/queue/rotational", "0\n");
  pc->AddBlock("8:3", disk, "sda3");
  for (const std::string number : {"0", "1"}) {
    const std::string volume = "/sys/devices/virtual/block/dm-" + number;
    pc->AddBlock("254:" + number, volume, "");
    pc->Link(volume + "/slaves/sda3", disk + "/sda3");
  }
  pc->Mount("254:0", "ext4", "/dev/mapper/vg-root");
  pc->Write("/dev/dm-1", "");
  pc->Link("/dev/mapper/vg-swap", "/dev/dm-1");
  pc->Write("/proc/swaps",
            "Filename Type Size Used Priority\n/dev/mapper/vg-swap partition 999420 0 -2\n");
  pc->Write("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n");
  pc->Write("/sys/devices/system/cpu/cpufreq/policy0/scaling_driver", "intel_pstate\n");
  pc->Write("/etc/group", "root:x:0:\nedgemoe:x:998:bob\n");
  pc->Write("/run/edgemoe/edgemoed.sock", "");
  fs::create_directories(pc->root() + "/run/systemd/system");
  pc->programs[{"systemctl",
                "--property=LoadState,ActiveState,UnitFileState,Result,LimitMEMLOCK,ExecStart"}] = {
      .output =
          "LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\nResult=exit-code\n"
          "LimitMEMLOCK=8388608\nExecStart={ path=/usr/bin/edgemoed ; argv[]=/usr/bin/edgemoed "
          "--config /etc/edgemoe/edgemoed.json ; ignore_errors=no ; pid=0 }\n"};
  pc->programs[{"/usr/bin/edgemoed", "--print-config"}] = {
      .output = "a complaint\n{\n  \"model\": {\"path\": \"/srv/big.gguf\"}, \"models\": 3\n}\n"};
  pc->programs[{"/usr/bin/edgemoed", "--check-config"}] = {
      .output = "model.path: found /srv/big.gguf, which does not exist\n", .status = 66 << 8};
  return pc;
}

std::unique_ptr<FakeMachine> FakeContainer() {
  auto container = std::make_unique<FakeMachine>();
  container->answers.io_uring_error = EPERM;
  container->answers.features.avx512 = true;
  container->Write("/.dockerenv", "");
  container->Mount("0:51", "overlay", "overlay");
  container->Remove("/proc/pressure");
  return container;
}

std::unique_ptr<FakeMachine> PlainVm() {
  auto vm = std::make_unique<FakeMachine>();
  vm->answers.io_uring_error = ENOSYS;
  vm->answers.memlock_bytes = 8 << 20;
  vm->Write("/proc/sys/kernel/osrelease", "4.19.0-21-amd64\n");
  vm->Write("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  vm->Write("/sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)\n");
  const std::string disk = "/sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda";
  vm->AddBlock("254:0", disk, "");
  vm->Write(disk + "/queue/rotational", "1\n");
  vm->AddBlock("254:1", disk, "vda1");
  vm->Mount("254:1", "ext4", "/dev/vda1");
  return vm;
}

}  // namespace edgemoe
