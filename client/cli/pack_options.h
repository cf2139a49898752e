// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "edgemoe/v1/models.pb.h"

namespace edgemoe::cli {

// Adds what `edgemoe pack` takes; `request` gets what is typed, with paths as they are typed. Which
// options go together, and their ranges, are the daemon's to judge. AddPackTargets adds the targets
// alone.
//
// `bits`: the name of the option for bits a weight. `request` is called for a target that is typed.
void AddPackTargets(CLI::App* app, const std::string& bits, const std::string& group,
                    const std::function<v1::PackRequest*()>& request);
void AddPackOptions(CLI::App* app, v1::PackRequest* request);

}  // namespace edgemoe::cli
