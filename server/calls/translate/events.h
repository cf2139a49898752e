// SPDX-License-Identifier: Apache-2.0
//
// The engine's events as messages of a stream. A translator serves one stream and keeps what the
// later messages need of the earlier ones; thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "edgemoe/v1/inference.pb.h"
#include "server/calls/streams/event_queue.h"

namespace edgemoe {

v1::FinishReason ToApi(FinishReason reason);

// Tokens a second after the first one, which the prompt's last step gave and whose time is the
// prompt's. 0 when there was no other.
double DecodeTokensPerSecond(const FinishedEvent& event);

// `Response`: v1::CompleteResponse or v1::ChatResponse.
template <class Response>
class GenerateTranslator {
 public:
  // `engine` outlives the stream. `request_id`: see RequestTable. `with_logprobs`: chunks carry
  // them.
  GenerateTranslator(const Engine& engine, std::string request_id, std::uint64_t seed,
                     bool with_logprobs)
      : engine_(engine),
        request_id_(std::move(request_id)),
        seed_(seed),
        with_logprobs_(with_logprobs) {}

  std::optional<Response> operator()(StreamEvent event);

 private:
  const Engine& engine_;
  const std::string request_id_;
  const std::uint64_t seed_;
  const bool with_logprobs_;
  void FillParts(std::vector<AnswerEvent> parts, v1::Chunk& chunk);

  std::uint32_t cached_tokens_ = 0;  // as Started said; Finished repeats it
  std::uint32_t call_index_ = 0;     // of the call that grows
};

class ScoreTranslator {
 public:
  ScoreTranslator(const Engine& engine, std::string request_id)
      : engine_(engine), request_id_(std::move(request_id)) {}

  // None for a chunk without tokens.
  std::optional<v1::ScoreResponse> operator()(StreamEvent event);

 private:
  const Engine& engine_;
  const std::string request_id_;
  std::uint32_t cached_tokens_ = 0;
  double logprob_sum_ = 0;
  std::uint32_t scored_tokens_ = 0;
};

class EmbedTranslator {
 public:
  EmbedTranslator(const Engine& engine, std::string request_id)
      : engine_(engine), request_id_(std::move(request_id)) {}

  // None for a chunk, which no such request has.
  std::optional<v1::EmbedResponse> operator()(StreamEvent event);

 private:
  const Engine& engine_;
  const std::string request_id_;
  std::uint32_t cached_tokens_ = 0;
};

}  // namespace edgemoe
