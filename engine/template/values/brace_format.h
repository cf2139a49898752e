// SPDX-License-Identifier: Apache-2.0
//
// Python's str.format().
#pragma once

#include <span>
#include <string>
#include <utility>

#include "engine/base/result.h"
#include "engine/template/values/value.h"

namespace edgemoe::jinja {

// `format` with its fields filled: "{}", "{0}", "{name}", "{0.part[key]}", with "!r", "!s" or "!a"
// and a specification such as ">8" or ",.2f", which may have fields of its own. INVALID_ARGUMENT
// for what Python refuses, for "#" and for types "n" and "%" of other than numbers. A safe format
// escapes what goes into it.
Result<Value> FormatBraces(const Value& format, std::span<const Value> positional,
                           std::span<const std::pair<std::string, Value>> named, Budget& budget);

}  // namespace edgemoe::jinja
