// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "client/cli/doctor/facts/machine.h"

namespace edgemoe::cli {

enum class BoardKind { kOther, kRaspberryPi, kJetson };

struct Board {
  BoardKind kind = BoardKind::kOther;
  std::string name;        // as the firmware calls it; empty: it does not say
  bool container = false;  // we see a container's files
  bool virtual_machine = false;
};

Board IdentifyBoard(const Machine& machine);

// How a word comes onto the kernel's command line here, from the next start on.
std::string AddKernelWord(const Machine& machine, const Board& board, const std::string& word);

}  // namespace edgemoe::cli
