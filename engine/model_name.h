// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace edgemoe {

// What a model is called that has been given no name: "dir/Qwen3-00001-of-00002.gguf" -> "Qwen3".
std::string ModelNameFromPath(const std::string& path);

}  // namespace edgemoe
