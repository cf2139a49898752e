// SPDX-License-Identifier: Apache-2.0
//
// A ModelConfig as a file's metadata: what engine/model/arch reads, written.
#pragma once

#include <vector>

#include "engine/gguf/gguf_reader.h"
#include "engine/model/model_config.h"

namespace edgemoe {

// general.architecture, general.name and the architecture's own keys. ReadModelConfig gives
// `config` back. Keys of features that the model does not have, such as scaled positions, are left
// out. What all layers of a kind share is taken from the last one.
// REQUIRES: `config` is one that its architecture can have.
std::vector<GgufEntry> ArchitectureKeys(const ModelConfig& config);

}  // namespace edgemoe
