// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/describe.h"
#include "engine/load/model_header.h"

namespace edgemoe {

// `name` empty: from the path.
ModelDescription DescribeHeader(const ModelHeader& header, const std::string& name);

}  // namespace edgemoe
