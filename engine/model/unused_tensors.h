// SPDX-License-Identifier: Apache-2.0
//
// What a file has beside the model that is served: it is not loaded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/gguf_set.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// Whether a tensor of this name is of a prediction layer, or of an input other than text: see
// engine/model/arch/other_inputs.h.
bool IsUnused(std::string_view name, const ModelConfig& config);

// "images" and "audio", where the file has encoders of these.
std::vector<std::string> UnusedInputsOf(const GgufSet& files);

}  // namespace edgemoe
