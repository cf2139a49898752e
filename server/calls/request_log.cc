// SPDX-License-Identifier: Apache-2.0
#include "server/calls/request_log.h"

#include <cstdio>

#include "engine/base/byte_size.h"
#include "server/calls/translate/events.h"

namespace edgemoe {
namespace {

const char* Name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStopToken: return "STOP_TOKEN";
    case FinishReason::kStopSequence: return "STOP_SEQUENCE";
    case FinishReason::kMaxTokens: return "MAX_TOKENS";
    case FinishReason::kTimeLimit: return "TIME_LIMIT";
    case FinishReason::kCancelled: return "CANCELLED";
    case FinishReason::kContextFull: return "CONTEXT_FULL";
    case FinishReason::kError: return "ERROR";
  }
  return "?";
}

double Ratio(std::uint64_t part, double whole) {
  return whole > 0 ? static_cast<double>(part) / whole : 0;
}

}  // namespace

std::string FormatRequest(RequestId request, const FinishedEvent& event) {
  char line[256];
  std::snprintf(line, sizeof line,
                "request %llu: %s, %u + %u tokens, %.1f tok/s, experts %.1f %% hit, ",
                static_cast<unsigned long long>(request.value), Name(event.reason),
                event.prompt_tokens, event.completion_tokens, DecodeTokensPerSecond(event),
                100 * Ratio(event.io.expert_hits, static_cast<double>(event.io.experts_used)));
  return line + FormatByteSize(event.io.bytes_read) + " read";
}

void LogRequest(const LogSink& log, RequestId request, const FinishedEvent& event) {
  if (!log) return;
  if (event.reason == FinishReason::kError) {
    log(LogLevel::kWarning, FormatRequest(request, event) + ": " + event.status.ToString());
  } else {
    log(LogLevel::kInfo, FormatRequest(request, event));
  }
}

}  // namespace edgemoe
