// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/base/log.h"
#include "engine/engine.h"
#include "server/calls/request_table.h"

namespace edgemoe {

// A line for a request that was taken, at level info: "request 81f2...: Chat of uid 1000, pid
// 4242".
void LogStarted(const LogSink& log, const RequestSummary& request);

// One line for a request that has ended, without any of its text: "request 81f2...: Chat of uid
// 1000, pid 4242: MAX_TOKENS, 12 + 128 tokens in 13.9 s, 9.4 tok/s, experts 81.2 % hit, 120 MiB
// read".
std::string FormatFinished(const RequestSummary& request, const FinishedEvent& event);

// At level info; with the error, and at level warning, when the request failed.
void LogFinished(const LogSink& log, const RequestSummary& request, const FinishedEvent& event);

}  // namespace edgemoe
