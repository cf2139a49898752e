// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace edgemoe::cli {

// The name that somebody means who types `word`: the nearest one, at most two letters put in, left
// out or exchanged away; empty where there is none.
std::string NearestWord(std::string_view word, const std::vector<std::string>& names);

}  // namespace edgemoe::cli
