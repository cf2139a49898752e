// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace edgemoe::cli {

// As printf; at most 160 characters.
[[gnu::format(printf, 1, 2)]] std::string Format(const char* format, ...);

}  // namespace edgemoe::cli
