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
    case FinishReason::kToolCalls: return "TOOL_CALLS";
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

std::string Begin(const RequestSummary& request) {
  return "request " + request.id + ": " + request.method + " of " + request.peer;
}

}  // namespace

void LogStarted(const LogSink& log, const RequestSummary& request) {
  if (log) log(LogLevel::kInfo, Begin(request));
}

std::string FormatFinished(const RequestSummary& request, const FinishedEvent& event) {
  const RequestTimings& timings = event.timings;
  char figures[256];
  std::snprintf(
      figures, sizeof figures, ": %s, %u + %u tokens in %.2f s, %.1f tok/s, experts %.1f %% hit, ",
      Name(event.reason), event.prompt_tokens, event.completion_tokens,
      static_cast<double>(timings.queue_ns + timings.prompt_ns + timings.decode_ns) * 1e-9,
      DecodeTokensPerSecond(event),
      100 * Ratio(event.io.expert_hits, static_cast<double>(event.io.experts_used)));
  return Begin(request) + figures + FormatByteSize(event.io.bytes_read) + " read";
}

void LogFinished(const LogSink& log, const RequestSummary& request, const FinishedEvent& event) {
  if (!log) return;
  if (event.reason == FinishReason::kError) {
    log(LogLevel::kWarning, FormatFinished(request, event) + ": " + event.status.ToString());
  } else {
    log(LogLevel::kInfo, FormatFinished(request, event));
  }
}

}  // namespace edgemoe
