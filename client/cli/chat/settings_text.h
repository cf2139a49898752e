// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "edgemoe/v1/inference.pb.h"

namespace edgemoe::cli {

// What /set does and then says, in whole lines: of "" a table of all settings; of "NAME" the one;
// of "NAME VALUE" it sets it, where the value `default` leaves it to the model. What is wrong with
// either is said, too, and nothing is then set.
std::string SetOrShow(const std::string& argument, v1::ChatRequest& request);

}  // namespace edgemoe::cli
