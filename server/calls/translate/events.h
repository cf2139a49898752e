// SPDX-License-Identifier: Apache-2.0
//
// The engine's events as messages of a stream. A translator serves one stream and keeps what the
// later messages need of the earlier ones; thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "edgemoe/v1/inference.pb.h"
#include "server/calls/event_queue.h"

namespace edgemoe {

v1::FinishReason ToApi(FinishReason reason);

// Tokens a second after the first one, which the prompt's last step gave and whose time is the
// prompt's. 0 when there was no other.
double DecodeTokensPerSecond(const FinishedEvent& event);

class GenerateTranslator {
 public:
  // `engine` outlives the stream. `with_logprobs`: chunks carry them.
  GenerateTranslator(const Engine& engine, std::uint64_t seed, bool with_logprobs)
      : engine_(engine), seed_(seed), with_logprobs_(with_logprobs) {}

  std::optional<v1::GenerateResponse> operator()(StreamEvent event);

 private:
  const Engine& engine_;
  const std::uint64_t seed_;
  const bool with_logprobs_;
  std::uint32_t cached_tokens_ = 0;  // as Started said; Finished repeats it
};

class ScoreTranslator {
 public:
  explicit ScoreTranslator(const Engine& engine) : engine_(engine) {}

  // None for progress.
  std::optional<v1::ScoreResponse> operator()(StreamEvent event);

 private:
  const Engine& engine_;
  std::uint32_t cached_tokens_ = 0;
  double logprob_sum_ = 0;
  std::uint32_t scored_tokens_ = 0;
};

}  // namespace edgemoe
