// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "edgemoe/v1/models.pb.h"

namespace edgemoe::cli {

// Adds what `edgemoe pack` takes; `request` gets what is typed, with paths as they are typed. Which
// options go together, and their ranges, are the daemon's to judge.
void AddPackOptions(CLI::App* app, v1::PackRequest* request);

}  // namespace edgemoe::cli
