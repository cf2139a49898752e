// SPDX-License-Identifier: Apache-2.0
//
// Examines a machine.
#pragma once

#include <string>

#include "client/cli/doctor/facts/daemon_answers.h"
#include "client/cli/doctor/facts/machine.h"
#include "client/cli/doctor/finding.h"

namespace edgemoe::cli {

// All checks, in the order in which people read them. `model_path`: the file or folder whose
// storage is looked at; empty: the loaded model's, or what the daemon's configuration says, or
// where the service keeps models. Runs systemctl, edgemoed and vcgencmd where they are; changes
// nothing.
Findings Examine(const Machine& machine, const DaemonAnswers& daemon,
                 const std::string& model_path);

// For people, `columns` wide but for commands, and as an object on one line.
std::string FindingsText(const Findings& findings, std::size_t columns);
std::string FindingsJson(const Findings& findings);

bool HasProblem(const Findings& findings);

}  // namespace edgemoe::cli
