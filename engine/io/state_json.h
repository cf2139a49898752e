// SPDX-License-Identifier: Apache-2.0
//
// Small JSON files of the state directory: what was measured, and can be measured again.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace edgemoe {

// Longer files are not read.
constexpr std::uint64_t kStateJsonBytesMax = 64 * 1024;

// Nothing when there is no such file, when it is too long, or when it holds no JSON object.
std::optional<nlohmann::json> ReadStateJson(const std::string& path);

}  // namespace edgemoe
