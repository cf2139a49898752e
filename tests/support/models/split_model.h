// SPDX-License-Identifier: Apache-2.0
//
// The small model of tiny_model.h as a split file's parts, as llama.cpp's gguf-split makes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/models/tiny_model.h"

namespace edgemoe {

// Each part whole, with zeros for weights: for what looks at headers only. The first has the
// metadata, and tensors go to the parts in turn.
std::vector<std::string> SplitModelHeaders(const TinyModelOptions& options,
                                           std::uint32_t part_count);

}  // namespace edgemoe
