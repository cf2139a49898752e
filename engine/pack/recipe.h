// SPDX-License-Identifier: Apache-2.0
//
// What a pack is to hold: the type of each tensor, and how it came to be chosen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/gguf/gguf_reader.h"
#include "engine/pack/pack_tensors.h"

namespace edgemoe {

// The weight of each column's squared error, [tensor.columns()] into `importance`; leaves it empty
// where nothing is known. Called by one thread, the same for the same tensor each time.
using ImportanceSource =
    std::function<void(const PackTensor& tensor, std::vector<float>* importance)>;

struct PackRecipe {
  std::string method = "copy";       // kPackMethodKey's value
  std::vector<TensorType> types{};   // [tensors, as ListPackTensors]; empty: as in the source
  std::vector<GgufEntry> entries{};  // further metadata
  ImportanceSource importance{};     // may be empty
};

}  // namespace edgemoe
