// SPDX-License-Identifier: Apache-2.0
//
// What is looked at, one function a family. Each adds what it found; what cannot be read, or makes
// no sense, is told as unknown.
#pragma once

#include <string>
#include <vector>

#include "client/cli/doctor/facts/board.h"
#include "client/cli/doctor/facts/daemon_answers.h"
#include "client/cli/doctor/facts/disk.h"
#include "client/cli/doctor/facts/installation.h"
#include "client/cli/doctor/facts/machine.h"
#include "client/cli/doctor/facts/mount.h"
#include "client/cli/doctor/finding.h"

namespace edgemoe::cli {

// Where models lie, or will.
struct ModelPlace {
  std::string path;  // a file or a folder; empty: unknown
  std::optional<Mount> mount;
  std::vector<Disk> disks;  // none: unknown
};

// What is known before the first check.
struct Case {
  const Machine& machine;
  const DaemonAnswers& daemon;
  const Installation& installation;
  const Board& board;
  const ModelPlace& place;
};

void CheckDaemon(const Case& known, Findings& findings);  // it runs; service, access, configuration
void CheckMachine(const Case& known, Findings& findings);  // board, processor
void CheckKernel(const Case& known, Findings& findings);   // version, io_uring, pages
void CheckMemory(const Case& known, Findings& findings);   // room, control groups, pressure, locks
void CheckStorage(const Case& known, Findings& findings);  // kind, file system, speed, room
void CheckSwap(const Case& known, Findings& findings);
void CheckPower(const Case& known, Findings& findings);  // heat, clock
void CheckBoard(const Case& known, Findings& findings);  // Raspberry Pi's supply, Jetson's mode

}  // namespace edgemoe::cli
