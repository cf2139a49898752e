// SPDX-License-Identifier: Apache-2.0
//
// Machines that are made up for `edgemoe doctor`: files below a folder of their own, and what the
// system would answer.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/doctor/doctor.h"
#include "tests/support/child_process.h"

namespace edgemoe {

// Where its models lie.
constexpr const char* kFakeModels = "/var/lib/edgemoe/models";

// One with nothing to complain about, without disks, daemon and service. Paths are from its root.
class FakeMachine {
 public:
  FakeMachine();

  void Write(const std::string& path, const std::string& text);
  // A relative link.
  void Link(const std::string& path, const std::string& target);
  void Remove(const std::string& path);
  // A partition of a disk, or with an empty `partition` the disk itself, under its number.
  void AddBlock(const std::string& number, const std::string& disk, const std::string& partition);
  // Its only file system.
  void Mount(const std::string& number, const std::string& type, const std::string& source);

  // Must not outlive this.
  cli::Machine View();
  cli::Findings Examined(const std::string& path = "");
  const std::string& root() const { return folder_.path(); }

  cli::SystemAnswers answers;
  cli::DaemonAnswers daemon;
  std::optional<cli::StorageAnswers> storage;
  // What programs write, by the first and the last word of their command; others cannot be found.
  std::map<std::pair<std::string, std::string>, cli::ProgramEnd> programs;

 private:
  client::Result<cli::ProgramEnd> RunFake(const std::vector<std::string>& command);

  TempFolder folder_;
};

// On an SD card, too hot, with too little voltage and no memory cgroup.
std::unique_ptr<FakeMachine> RaspberryPi4();
// With NVMe and pages of 16 KiB.
std::unique_ptr<FakeMachine> RaspberryPi5();
// With models on USB 2, in a mode of little power.
std::unique_ptr<FakeMachine> JetsonOrin();
// With volumes on one SATA SSD; its service failed.
std::unique_ptr<FakeMachine> MiniPc();
std::unique_ptr<FakeMachine> FakeContainer();
// With an old kernel.
std::unique_ptr<FakeMachine> PlainVm();

}  // namespace edgemoe
