// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace edgemoe {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

// Where the engine's few log lines go; handed in at Open, never global. May be called from the
// engine's thread and from the thread that opens it. Empty: lines are dropped.
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace edgemoe
