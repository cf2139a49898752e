// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "engine/base/result.h"
#include "engine/template/syntax/syntax.h"

namespace edgemoe::jinja {

constexpr std::size_t kSourceBytesMax = 1U << 20;

// INVALID_ARGUMENT names line, column, what was found and what would be accepted.
Result<Body> ParseTemplate(std::string_view source);

}  // namespace edgemoe::jinja
