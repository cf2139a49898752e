// SPDX-License-Identifier: Apache-2.0
//
// `edgemoe doctor` on machines that are made up, on broken ones, and on this one.
#include "client/cli/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/cli/doctor/facts/installation.h"
#include "tests/client/fake_daemon.h"
#include "tests/client/fake_machine.h"
#include "tests/support/child_process.h"

namespace edgemoe::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

// The one finding of that name.
Finding Of(const Findings& findings, const std::string& check) {
  std::vector<Finding> found;
  for (const Finding& finding : findings)
    if (finding.check == check) found.push_back(finding);
  EXPECT_EQ(found.size(), 1U) << check << "\n" << FindingsText(findings, 100);
  return found.empty() ? Finding() : found.front();
}

testing::Matcher<Finding> Says(FindingLevel level, const testing::Matcher<std::string>& found,
                               const testing::Matcher<std::string>& mend = std::string()) {
  return AllOf(Field("level", &Finding::level, level), Field("found", &Finding::found, found),
               Field("mend", &Finding::mend, mend));
}

constexpr FindingLevel kOk = FindingLevel::kOk;
constexpr FindingLevel kNote = FindingLevel::kNote;
constexpr FindingLevel kWarning = FindingLevel::kWarning;
constexpr FindingLevel kProblem = FindingLevel::kProblem;

// ---- what is found on them ----

TEST(DoctorTest, RaspberryPi4OnAnSdCard) {
  const Findings findings = RaspberryPi4()->Examined();
  EXPECT_THAT(Of(findings, "machine"),
              Says(kOk, HasSubstr("Raspberry Pi 4 Model B Rev 1.4, aarch64")));
  EXPECT_THAT(Of(findings, "instructions"), Says(kNote, HasSubstr("no dot product")));
  EXPECT_THAT(Of(findings, "storage kind"),
              Says(kWarning, AllOf(HasSubstr("SD card mmcblk0 (SC64G)"), HasSubstr("40 MB/s")),
                   HasSubstr("USB 3 SSD")));
  EXPECT_THAT(
      Of(findings, "memory cgroup"),
      Says(kWarning, HasSubstr("as Raspberry Pi OS has it"),
           HasSubstr("sudo sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt")));
  EXPECT_THAT(Of(findings, "memory pressure"),
              Says(kWarning, HasSubstr("PSI is off"), HasSubstr("'1s/$/ psi=1/' /boot/firmware")));
  EXPECT_THAT(Of(findings, "swap"),
              Says(kWarning, HasSubstr("/var/swap is on the model's own disk"),
                   HasSubstr("dphys-swapfile swapoff")));
  EXPECT_THAT(Of(findings, "power supply"),
              Says(kProblem, HasSubstr("now: under-voltage, throttled;"), HasSubstr("5.1 V, 3 A")));
  EXPECT_THAT(
      Of(findings, "temperature"),
      Says(kWarning, HasSubstr("82 degrees Celsius (cpu-thermal): from 80"), HasSubstr("fan")));
  EXPECT_THAT(Of(findings, "clock"), Says(kOk, "governor ondemand"));
  EXPECT_TRUE(HasProblem(findings));
}

TEST(DoctorTest, AWordOfTheKernelThatIsWrittenAlreadyWantsAReboot) {
  const auto pi = RaspberryPi4();
  pi->Remove("/boot/firmware");
  pi->Write("/boot/cmdline.txt", "root=PARTUUID=1 " + std::string(300, 'x') + " psi=1\n");
  const Findings findings = pi->Examined();
  EXPECT_THAT(Of(findings, "memory pressure").mend,
              HasSubstr("sudo reboot    # psi=1 is in /boot/cmdline"));
  EXPECT_THAT(Of(findings, "memory cgroup").mend,
              HasSubstr("cgroup_enable=memory/' /boot/cmdline.txt"));
}

TEST(DoctorTest, TheFirmwareTellsNowAndSinceTheStart) {
  const std::string file = "/sys/devices/platform/soc/soc:firmware/get_throttled";
  const auto pi = RaspberryPi4();
  const auto finding = [&](const std::string& bits) {
    pi->Write(file, bits);
    return Of(pi->Examined(), "power supply");
  };
  EXPECT_THAT(finding("0\n"), Says(kOk, HasSubstr("never")));
  EXPECT_THAT(finding("10000\n"),
              Says(kWarning, HasSubstr("since the start: under-voltage;"), HasSubstr("supply")));
  EXPECT_THAT(finding("e0000\n"),
              Says(kNote, HasSubstr("frequency capped, throttled, at the soft temperature limit;"),
                   HasSubstr("fan")));
  EXPECT_THAT(
      finding("e0008\n"),
      Says(kWarning,
           HasSubstr(
               "now: at the soft temperature limit; since the start: frequency capped, throttled;"),
           HasSubstr("fan")));
  EXPECT_THAT(finding("junk\n"), Says(kNote, HasSubstr("unknown"), HasSubstr("vcgencmd")));
  pi->programs[{"vcgencmd", "get_throttled"}] = {.output = "throttled=0x50000\n"};
  EXPECT_THAT(finding(""),
              Says(kWarning, HasSubstr("under-voltage, throttled"), HasSubstr("supply")));
  pi->programs.clear();
  pi->Write("/sys/class/hwmon/hwmon1/name", "rpi_volt\n");
  pi->Write("/sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
  EXPECT_THAT(finding(""), Says(kWarning, HasSubstr("under-voltage"), HasSubstr("supply")));
}

TEST(DoctorTest, RaspberryPi5WithNvmeAnd16KiBPages) {
  const Findings findings = RaspberryPi5()->Examined();
  EXPECT_THAT(Of(findings, "page size"),
              Says(kNote, HasSubstr("16 KiB, as on the Raspberry Pi 5: works")));
  EXPECT_THAT(Of(findings, "instructions"), Says(kOk, "dot product"));
  EXPECT_THAT(Of(findings, "storage kind"),
              Says(kNote, HasSubstr("NVMe nvme0n1 (Fast SSD), PCIe at 5.0 GT/s on 1 lanes"),
                   HasSubstr("dtparam=pciex1_gen=3")));
  EXPECT_THAT(Of(findings, "swap"), Says(kOk, HasSubstr("/dev/zram0, compressed in memory")));
  EXPECT_THAT(Of(findings, "power supply"), Says(kOk, HasSubstr("never")));
  EXPECT_THAT(Of(findings, "temperature"), Says(kOk, HasSubstr("51 degrees")));
  EXPECT_FALSE(HasProblem(findings));
}

TEST(DoctorTest, JetsonOrinInAModeOfLittlePower) {
  const Findings findings = JetsonOrin()->Examined();
  EXPECT_THAT(Of(findings, "power mode"), Says(kNote, HasSubstr("7W"), HasSubstr("nvpmodel -m 2")));
  EXPECT_THAT(Of(findings, "GPU"), Says(kNote, HasSubstr("not used")));
  EXPECT_THAT(Of(findings, "processor"),
              Says(kNote, HasSubstr("4 cores of 6"), HasSubstr("nvpmodel")));
  EXPECT_THAT(Of(findings, "kernel"), Says(kNote, HasSubstr("from 5.19 on"), HasSubstr("upgrade")));
  EXPECT_THAT(Of(findings, "storage kind"),
              Says(kWarning, HasSubstr("USB disk sda, 480 Mbit/s"), HasSubstr("USB 3")));
  EXPECT_THAT(Of(findings, "memory pressure").mend,
              HasSubstr("/^ *APPEND/s/$/ psi=1/' /boot/extlinux"));
}

TEST(DoctorTest, MiniPcWhoseServiceFailed) {
  const auto pc = MiniPc();
  const Findings findings = pc->Examined();
  EXPECT_THAT(Of(findings, "machine"), Says(kOk, HasSubstr("AZW MINI S, x86_64")));
  EXPECT_THAT(Of(findings, "processor"), Says(kOk, "Intel(R) N100, 4 cores"));
  EXPECT_THAT(Of(findings, "instructions"), Says(kOk, "AVX2, and AVX-VNNI"));
  EXPECT_THAT(Of(findings, "storage kind"), Says(kOk, "/srv/big.gguf is on SATA disk sda"));
  EXPECT_THAT(
      Of(findings, "swap"),
      Says(kWarning, HasSubstr("/dev/mapper/vg-swap is on the model's own disk, SATA disk sda"),
           HasSubstr("sudo swapoff /dev/mapper/vg-swap")));
  EXPECT_THAT(Of(findings, "clock"), Says(kOk, "governor powersave"));
  EXPECT_THAT(Of(findings, "memory lock"), Says(kWarning, HasSubstr("8.00 MiB of edgemoed.service"),
                                                HasSubstr("LimitMEMLOCK=infinity")));
  EXPECT_THAT(Of(findings, "daemon"), Says(kProblem, HasSubstr("edgemoed.service is failed"),
                                           HasSubstr("journalctl -u edgemoed")));
  EXPECT_THAT(Of(findings, "service"),
              Says(kProblem, "failed, enabled (exit-code)", HasSubstr("journalctl")));
  EXPECT_THAT(Of(findings, "access"), Says(kProblem, HasSubstr("alice is not in the group edgemoe"),
                                           HasSubstr("sudo usermod -aG edgemoe alice")));
  EXPECT_THAT(Of(findings, "configuration"),
              Says(kProblem, "model.path: found /srv/big.gguf, which does not exist",
                   "sudoedit /etc/edgemoe/edgemoed.json\nsudo systemctl restart edgemoed"));
}

TEST(DoctorTest, WhoMayUseTheDaemon) {
  const auto pc = MiniPc();
  pc->Write("/etc/group", "edgemoe:x:998:bob,alice\n");
  EXPECT_THAT(Of(pc->Examined(), "access"),
              Says(kProblem, HasSubstr("logged in before"), HasSubstr("newgrp")));
  pc->answers.group_ids = {1000, 998};
  EXPECT_THAT(Of(pc->Examined(), "access"), Says(kOk, "alice is in the group edgemoe"));
  for (auto& [name, program] : pc->programs)
    if (name.first == "systemctl") program.output = "LoadState=loaded\nActiveState=active\n";
  EXPECT_THAT(Of(pc->Examined(), "daemon"), Says(kNote, HasSubstr("is active): see access")));
  pc->daemon.connected = client::Status();
  pc->daemon.served = {client::StatusCode::kPermissionDenied,
                       "the daemon does not admit user 1000"};
  const Findings refused = pc->Examined();
  EXPECT_THAT(Of(refused, "access"), Says(kProblem, HasSubstr("but the daemon does not admit"),
                                          HasSubstr("add alice to listen.allow_users")));
  EXPECT_THAT(Of(refused, "daemon"), Says(kNote, HasSubstr("refuses this user")));
  pc->Write("/etc/group", "edgemoe:x\nedgemoe:x:y:z\n");
  EXPECT_THAT(Of(pc->Examined(), "access").level, kProblem);
}

TEST(DoctorTest, ConfigurationThatThisUserMayNotCheckIsUnknown) {
  const auto pc = MiniPc();
  pc->programs[{"/usr/bin/edgemoed", "--check-config"}].output =
      "open: /srv/big.gguf: Permission denied\n";
  EXPECT_THAT(Of(pc->Examined(), "configuration"),
              Says(kNote, HasSubstr("unknown: this user may not"), "sudo edgemoe doctor"));
  pc->programs[{"/usr/bin/edgemoed", "--check-config"}] = {};
  EXPECT_THAT(Of(pc->Examined(), "configuration").level, kOk);
}

// Of a daemon that is started by hand, too.
TEST(DoctorTest, ConfigurationThatCannotBeRead) {
  const auto vm = PlainVm();
  ProgramEnd& printed = vm->programs[{"edgemoed", "--print-config"}];
  printed.output = "{\n  \"model\": {\"path\": \"\"}\n}\n";
  EXPECT_THAT(Of(vm->Examined(), "configuration"), Says(kOk, HasSubstr("by hand")));
  printed.output = "edgemoed.json:3: context_tokens: found 0\n";
  printed.status = 78 << 8;
  EXPECT_THAT(Of(vm->Examined(), "configuration"),
              Says(kProblem, "edgemoed.json:3: context_tokens: found 0", Not("")));
  printed = ProgramEnd();
  printed.status = SIGSEGV;
  EXPECT_THAT(Of(vm->Examined(), "configuration"),
              Says(kProblem, HasSubstr("ended with -1"), Not("")));
}

TEST(DoctorTest, ContainerWithoutIoUring) {
  const Findings findings = FakeContainer()->Examined();
  EXPECT_THAT(Of(findings, "machine").found, HasSubstr("inside a container"));
  EXPECT_THAT(Of(findings, "io_uring"),
              Says(kWarning, HasSubstr("a seccomp filter refuses it, as containers have"),
                   HasSubstr("--security-opt seccomp=")));
  EXPECT_THAT(Of(findings, "storage kind"),
              Says(kNote, HasSubstr("overlay at /"), HasSubstr("volume")));
  EXPECT_THAT(Of(findings, "memory pressure"), Says(kNote, HasSubstr("inside this container")));
}

TEST(DoctorTest, IoUringSwitchedOffBySysctl) {
  const auto vm = PlainVm();
  vm->answers.io_uring_error = EPERM;
  vm->Write("/proc/sys/kernel/io_uring_disabled", "2\n");
  EXPECT_THAT(Of(vm->Examined(), "io_uring"),
              Says(kWarning, HasSubstr("kernel.io_uring_disabled is 2"), HasSubstr("sysctl")));
}

TEST(DoctorTest, PlainVmWithAnOldKernel) {
  const Findings findings = PlainVm()->Examined();
  EXPECT_THAT(Of(findings, "machine").found, HasSubstr("a virtual machine"));
  EXPECT_THAT(Of(findings, "kernel"), Says(kWarning, HasSubstr("before 5.6"), HasSubstr("apt")));
  EXPECT_THAT(Of(findings, "io_uring"), Says(kWarning, HasSubstr("built without it"), Not("")));
  // What a virtual disk says of turning is not believed.
  EXPECT_THAT(Of(findings, "storage kind"), Says(kOk, HasSubstr("is on virtual disk vda")));
  EXPECT_THAT(Of(findings, "instructions"),
              Says(kWarning, HasSubstr("no AVX2"), HasSubstr("-cpu host")));
  EXPECT_THAT(Of(findings, "memory lock"),
              Says(kNote, HasSubstr("8.00 MiB of this user"), HasSubstr("ulimit")));
  EXPECT_THAT(Of(findings, "temperature"), Says(kNote, HasSubstr("no sensor")));
  EXPECT_THAT(Of(findings, "service"), Says(kOk, HasSubstr("systemd does not run")));
  EXPECT_THAT(Of(findings, "daemon"),
              Says(kWarning, HasSubstr("there is no socket"), HasSubstr("apt install")));
}

// ---- single things ----

TEST(DoctorTest, FileSystemsAndDisks) {
  const auto vm = PlainVm();
  const auto kind = [&] { return Of(vm->Examined(), "storage kind"); };
  vm->Mount("0:40", "nfs4", "server:/models");
  EXPECT_THAT(kind(), Says(kWarning, HasSubstr("a network's file system"), Not("")));
  vm->Mount("0:40", "tmpfs", "tmpfs");
  EXPECT_THAT(kind(), Says(kWarning, HasSubstr("take memory"), Not("")));
  // btrfs has no number of a device, but names it.
  vm->Write("/dev/vda1", "");
  vm->Mount("0:40", "btrfs", "/dev/vda1");
  EXPECT_THAT(kind(), Says(kOk, HasSubstr("virtual disk vda")));
  const std::string disk = "/sys/devices/pci0000:00/ata2/host1/block/sdb";
  vm->AddBlock("8:16", disk, "");
  vm->Write(disk + "/queue/rotational", "1\n");
  vm->Mount("8:16", "ext4", "/dev/sdb");
  EXPECT_THAT(kind(), Says(kWarning, HasSubstr("rotating SATA disk sdb"), HasSubstr("SSD")));
  // A file that stands for a device, on that disk.
  const std::string loop = "/sys/devices/virtual/block/loop0";
  vm->AddBlock("7:0", loop, "");
  vm->Write(loop + "/loop/backing_file", "/srv/image\n");
  vm->Write("/proc/self/mountinfo",
            "24 1 8:16 / / rw - ext4 /dev/sdb rw\n"
            "25 24 7:0 / /var/lib/edgemoe\\040x rw - ext4 /dev/loop0 rw\n"
            "26 24 7:0 / /var/lib/edgemoe rw - ext4 /dev/loop0 rw\n");
  EXPECT_THAT(kind(), Says(kWarning, HasSubstr("rotating SATA disk sdb"), Not("")));
}

TEST(DoctorTest, SpaceAndDirectReads) {
  const auto vm = PlainVm();
  vm->storage = StorageAnswers{.free_bytes = 5 << 20, .total_bytes = 1 << 30, .direct = false};
  Findings findings = vm->Examined();
  EXPECT_THAT(Of(findings, "free space"),
              Says(kWarning, HasSubstr("5.00 MiB free"), HasSubstr("models rm")));
  EXPECT_THAT(Of(findings, "direct reads"), Says(kWarning, HasSubstr("no O_DIRECT"), Not("")));
  vm->storage->direct.reset();
  EXPECT_THAT(Of(vm->Examined(), "direct reads"),
              Says(kNote, HasSubstr("unknown"), "sudo edgemoe doctor"));
  vm->storage.reset();
  EXPECT_THAT(Of(vm->Examined(), "free space"), Says(kNote, HasSubstr("unknown")));
  vm->Remove("/var/lib/edgemoe");
  EXPECT_THAT(Of(vm->Examined(), "storage kind"),
              Says(kNote, HasSubstr("unknown"), HasSubstr("doctor FOLDER")));
}

TEST(DoctorTest, HeatNearTheEnd) {
  const auto vm = PlainVm();
  const std::string zone = "/sys/class/thermal/thermal_zone0";
  vm->Write(zone + "/type", "x86_pkg_temp\n");
  vm->Write(zone + "/temp", "96000\n");
  vm->Write(zone + "/trip_point_0_type", "critical\n");
  vm->Write(zone + "/trip_point_0_temp", "100000\n");
  EXPECT_THAT(Of(vm->Examined(), "temperature"),
              Says(kProblem, HasSubstr("at 100 it switches itself off"), HasSubstr("fan")));
  vm->Write(zone + "/trip_point_1_type", "passive\n");
  vm->Write(zone + "/trip_point_1_temp", "70000\n");
  vm->Write(zone + "/temp", "71000\n");
  EXPECT_THAT(Of(vm->Examined(), "temperature"), Says(kWarning, HasSubstr("from 70 on"), Not("")));
  vm->Write(zone + "/temp", "-274000\n");
  EXPECT_THAT(Of(vm->Examined(), "temperature"), Says(kNote, HasSubstr("unknown")));
}

TEST(DoctorTest, AGovernorThatSavesPower) {
  const auto pi = RaspberryPi5();
  const std::string policy = "/sys/devices/system/cpu/cpufreq/policy0";
  pi->Write(policy + "/scaling_governor", "powersave\n");
  EXPECT_THAT(Of(pi->Examined(), "clock"),
              Says(kWarning, HasSubstr("lowest"), HasSubstr("schedutil")));
  pi->Write(policy + "/scaling_governor", "ondemand\n");
  pi->Write(policy + "/cpuinfo_max_freq", "2400000\n");
  pi->Write(policy + "/scaling_max_freq", "1500000\n");
  EXPECT_THAT(Of(pi->Examined(), "clock"),
              Says(kNote, HasSubstr("1.5 of 2.4 GHz"), HasSubstr("2400000")));
}

TEST(DoctorTest, TheDaemonKnowsBetter) {
  const auto pi = RaspberryPi4();
  DaemonAnswers& daemon = pi->daemon;
  daemon.connected = client::Status();
  v1::GetStatsResponse& stats = daemon.stats.emplace();
  stats.set_version("1");
  stats.set_model("m");
  stats.mutable_machine()->set_io_backend("pread");
  stats.mutable_machine()->set_io_note("io_uring: Operation not permitted");
  stats.mutable_machine()->set_kernels("ref");
  daemon.model.emplace().set_path("/home/pi/m.gguf");
  v1::ProbeResponse& probe = daemon.probe.emplace();
  probe.set_bytes_per_second(40e6);
  probe.set_read_bytes(1 << 20);
  v1::ExpectedSpeed& expected = *daemon.plan.emplace().mutable_expected_speed();
  expected.set_read_bytes_per_token(100 << 20);
  expected.set_tokens_per_second(0.4);
  expected.set_bound(v1::SPEED_BOUND_STORAGE);
  Findings findings = pi->Examined();
  EXPECT_THAT(
      Of(findings, "storage kind").found,
      AllOf(HasSubstr("/home/pi/m.gguf is on SD card"),
            HasSubstr("the loaded model reads 100.00 MiB a token, which takes 2.62 s here")));
  EXPECT_THAT(Of(findings, "storage speed"),
              Says(kWarning, HasSubstr("40 MB/s"), HasSubstr("--fresh")));
  EXPECT_THAT(Of(findings, "expected speed"),
              Says(kNote, HasSubstr("0.4 tokens a second"), HasSubstr("edgemoe plan")));
  EXPECT_THAT(Of(findings, "io_uring"),
              Says(kWarning, HasSubstr("reads with pread: io_uring: Operation not"),
                   HasSubstr("SystemCallFilter")));
  EXPECT_THAT(Of(findings, "instructions").found, HasSubstr("computes with its ref kernels"));
  EXPECT_THAT(Of(findings, "daemon"), Says(kOk, HasSubstr("serves m")));

  daemon.model->set_state(v1::MODEL_STATE_BROKEN);
  daemon.model->set_error("m.gguf has changed");
  daemon.probe.reset();
  daemon.probed = {client::StatusCode::kPermissionDenied, "needs an administrator"};
  findings = pi->Examined();
  EXPECT_THAT(Of(findings, "daemon"), Says(kProblem, HasSubstr("m.gguf has changed"), Not("")));
  EXPECT_THAT(Of(findings, "storage speed"),
              Says(kNote, HasSubstr("needs an administrator"), "sudo edgemoe probe"));

  daemon = DaemonAnswers();
  daemon.served = {client::StatusCode::kUnavailable, "loading 12 %", {}, "LOADING"};
  EXPECT_THAT(Of(pi->Examined(), "daemon"),
              Says(kNote, HasSubstr("loading 12 %"), HasSubstr("--wait")));
  daemon.served = {client::StatusCode::kFailedPrecondition, "no model is named", {}, "NO_MODEL"};
  EXPECT_THAT(Of(pi->Examined(), "daemon"),
              Says(kWarning, HasSubstr("no model is named"), HasSubstr("edgemoe pull")));
}

TEST(DoctorTest, ServiceUnits) {
  EXPECT_FALSE(ParseServiceUnit(""));
  EXPECT_FALSE(ParseServiceUnit("LoadState=not-found\nActiveState=inactive\n"));
  const auto unit = ParseServiceUnit(
      "LoadState=loaded\nActiveState=active\nLimitMEMLOCK=infinity\nExecStart={ path=/d ; "
      "argv[]=/d -x");
  ASSERT_TRUE(unit);
  EXPECT_FALSE(unit->memlock_bytes);
  EXPECT_THAT(unit->command, testing::ElementsAre("/d", "-x"));
}

// ---- what makes no sense ----

// Whatever stands in a file, each finding says something, and there is an end.
TEST(DoctorTest, AnyFileMayBeAbsurd) {
  const std::string kAbsurd[] = {
      "",
      "\n\n\n",
      std::string("\0\xff\xfe;\x1b[2J", 8),
      "99999999999999999999999999999999\n",
      "-1\n",
      ": : : : : - : : :\n0:0 - - -\n",
      std::string(Machine::kTextBytesMax + 9, '/'),
      "[\n]\n/dev/x\tpartition\n8:16\\04\n",
  };
  for (const auto make : {RaspberryPi4, RaspberryPi5, JetsonOrin, MiniPc, FakeContainer, PlainVm}) {
    std::vector<std::string> files;
    const auto pristine = make();
    for (const auto& entry : fs::recursive_directory_iterator(pristine->root()))
      if (entry.is_regular_file() && !entry.is_symlink())
        files.push_back(entry.path().string().substr(pristine->root().size()));
    for (const std::string& text : kAbsurd) {
      const auto machine = make();
      for (const std::string& file : files) machine->Write(file, text);
      for (auto& [name, program] : machine->programs) program.output = text;
      const Findings findings = machine->Examined(kFakeModels);
      EXPECT_GT(findings.size(), 12U);
      for (const Finding& finding : findings) EXPECT_NE(finding.found, "") << finding.check;
      EXPECT_TRUE(nlohmann::json::accept(FindingsJson(findings)));
    }
  }
}

TEST(DoctorTest, FilesThatAreNotThere) {
  const auto vm = PlainVm();
  for (const char* const folder : {"/proc", "/sys", "/etc"}) vm->Remove(folder);
  const Findings findings = vm->Examined(kFakeModels);
  for (const char* const check : {"kernel", "memory", "memory cgroup", "storage kind", "swap"})
    EXPECT_THAT(Of(findings, check), Says(kNote, HasSubstr("unknown"))) << check;
  EXPECT_FALSE(HasProblem(findings));
}

TEST(DoctorTest, CirclesEnd) {
  const auto vm = PlainVm();
  // A link to itself, volumes on each other, a file on its own device.
  vm->Mount("8:1", "ext4", "/dev/sda1");
  fs::create_symlink("1", vm->root() + "/sys/dev/block/8:1");
  EXPECT_THAT(Of(vm->Examined(), "storage kind"), Says(kNote, HasSubstr("unknown")));
  for (const auto& [mine, others] : {std::pair{"0", "1"}, std::pair{"1", "0"}}) {
    const std::string volumes = "/sys/devices/virtual/block/dm-";
    vm->AddBlock(std::string("253:") + mine, volumes + mine, "");
    for (int i = 0; i < 50; ++i)
      vm->Link(volumes + mine + "/slaves/" + std::to_string(i), volumes + others);
  }
  vm->Mount("253:0", "ext4", "/dev/dm-0");
  EXPECT_THAT(Of(vm->Examined(), "storage kind"), Says(kNote, HasSubstr("unknown")));
  vm->AddBlock("7:0", "/sys/devices/virtual/block/loop0", "");
  vm->Write("/sys/devices/virtual/block/loop0/loop/backing_file", "/image\n");
  vm->Mount("7:0", "ext4", "/dev/loop0");
  EXPECT_THAT(Of(vm->Examined(), "storage kind"), Says(kNote, HasSubstr("unknown")));
}

TEST(DoctorTest, NothingButRegularFilesIsRead) {
  FakeMachine machine;
  ASSERT_EQ(::mkfifo((machine.root() + "/fifo").c_str(), 0600), 0);
  machine.Write("/long", std::string(2 * Machine::kTextBytesMax, 'x'));
  fs::create_symlink("/proc/self/status", machine.root() + "/outside");
  const Machine view = machine.View();
  EXPECT_FALSE(view.Text("/fifo"));
  EXPECT_FALSE(view.Text("/proc"));
  EXPECT_EQ(view.Text("/long")->size(), Machine::kTextBytesMax);
  EXPECT_EQ(view.Line("/long").size(), Machine::kLineBytesMax);
  EXPECT_FALSE(view.RealPath("/outside"));
}

// ---- the program ----

TEST(DoctorProgramTest, ExaminesThisMachine) {
  const TempFolder folder;
  const ChildProcess::Options options{.input = {},
                                      .environment = {{"EDGEMOE_SOCKET", folder / "none.sock"}}};
  ChildProcess json({EDGEMOE_PROGRAM, "doctor", "--json", folder.path()}, options);
  const auto code = json.Wait();
  const auto report = nlohmann::json::parse(json.output());
  EXPECT_EQ(code, report["problemCount"] == 0 ? 0 : 2) << json.output() << json.errors();
  EXPECT_GT(report["findings"].size(), 12U);
  for (const auto& finding : report["findings"]) EXPECT_NE(finding["found"], "") << finding;
  ChildProcess text({EDGEMOE_PROGRAM, "doctor"}, options);
  EXPECT_EQ(text.Wait(), code);
  EXPECT_THAT(text.output(),
              AllOf(HasSubstr("not reached: there is no socket"), HasSubstr("\nproblems: ")));
}

TEST(DoctorProgramTest, AsksADaemonThatRuns) {
  const TempFolder folder;
  const FakeDaemon daemon("unix:" + (folder / "d.sock"));
  ChildProcess process(
      {EDGEMOE_PROGRAM, "doctor", "--json", "-s", folder / "d.sock", folder.path()});
  process.Wait();
  EXPECT_THAT(process.output(), AllOf(HasSubstr("serves fake"), HasSubstr("90 MB/s"),
                                      HasSubstr("9.8 tokens a second")));
}

TEST(DoctorProgramTest, APathThatIsNotThereIsNamed) {
  ChildProcess process({EDGEMOE_PROGRAM, "doctor", "/none"});
  EXPECT_EQ(process.Wait(), 68);
  EXPECT_THAT(process.errors(), HasSubstr("path: found /none: No such file"));
}

}  // namespace
}  // namespace edgemoe::cli
