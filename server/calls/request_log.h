// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/base/log.h"
#include "engine/engine.h"

namespace edgemoe {

// One line for a request that has ended, without any of its text:
// "request 7: MAX_TOKENS, 12 + 128 tokens, 9.4 tok/s, experts 81.2 % hit, 120 MiB read".
std::string FormatRequest(RequestId request, const FinishedEvent& event);

// At level info; with the error, and at level warning, when the request failed.
void LogRequest(const LogSink& log, RequestId request, const FinishedEvent& event);

}  // namespace edgemoe
