// SPDX-License-Identifier: Apache-2.0
//
// One request, watched from outside as an application sees it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/engine.h"

namespace edgemoe::bench {

struct GenerationPlan {
  std::variant<std::string, std::vector<TokenId>> prompt;
  std::uint32_t tokens = 0;  // to write, at least 1; greedy, past the end of an answer
  // Writing ends after this many seconds, but not before kGapsMin tokens have followed the first.
  double seconds_max = 0;
};
constexpr std::size_t kGapsMin = 2;

// What happened in one phase, from the engine's own counters and the process's.
struct PhaseCost {
  double wall_s = 0;
  double cpu_s = 0;  // of all threads
  double wait_s = 0;
  std::uint64_t expert_uses = 0;
  std::uint64_t expert_hits = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t metered_bytes = 0;  // arrived while the engine did nothing but wait for metered_s
  double metered_s = 0;
};

struct GenerationSample {
  std::uint32_t prompt_tokens = 0;
  double first_token_s = 0;    // since the request was made
  PhaseCost prompt;            // until the first token
  PhaseCost decode;            // from there on
  std::vector<double> gaps_s;  // between tokens; the first since decoding went on
  std::vector<TokenId> tokens;
};

// Runs the request on an engine that does nothing else. Between prompt and decoding the request
// stands still for a moment, so that the counters of the two can be told apart. An engine's own
// error, or that of a request which ends before its first token.
Result<GenerationSample> Generate(Engine& engine, const GenerationPlan& plan);

}  // namespace edgemoe::bench
