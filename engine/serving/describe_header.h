// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/result.h"
#include "engine/describe.h"
#include "engine/load/model_header.h"
#include "engine/options.h"

namespace edgemoe {

// As DescribeModel.
Result<ModelDescription> DescribeHeader(const ModelHeader& header, const EngineOptions& options);

}  // namespace edgemoe
