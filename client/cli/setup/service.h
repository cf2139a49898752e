// SPDX-License-Identifier: Apache-2.0
//
// The daemon as a service of systemd: of the system for root, else of the user.
#pragma once

#include <string>
#include <vector>

#include "client/cli/terminal/interrupts.h"
#include "client/status.h"

namespace edgemoe::cli {

// `systemctl`, for the system or for the user.
std::vector<std::string> Systemctl(unsigned uid);

// Whether edgemoed runs as a service. False also where there is no systemd.
bool ServiceIsActive(const std::vector<std::string>& systemctl, Interrupts& interrupts);

// Has the service read its configuration again, or start again. FAILED_PRECONDITION with what
// systemctl said.
client::Status TellService(const std::vector<std::string>& systemctl, const std::string& verb,
                           Interrupts& interrupts);

}  // namespace edgemoe::cli
