// SPDX-License-Identifier: Apache-2.0
//
// What a request asks for and what it hears back: the part of the engine's facade that the
// scheduler speaks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/answer/answer_event.h"
#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/model/sampler.h"

namespace edgemoe {

struct StopParameters {
  std::optional<std::uint32_t> max_tokens;  // empty: until something else stops it; 0: prompt only
  std::vector<std::string> sequences;       // at most 16, of 1 to 256 bytes; not part of the answer
  std::vector<TokenId> tokens;              // beside the model's own; at most 64
  std::uint32_t time_limit_ms = 0;          // since the request was taken; 0: none
  bool ignore_end_of_generation = false;    // `tokens` still stop
};
constexpr std::size_t kStopSequencesMax = 16;
constexpr std::size_t kStopSequenceBytesMax = 256;
constexpr std::size_t kStopTokensMax = 64;

// How the hidden states of a text's tokens, after the last norm, become one vector.
enum class Pooling : std::uint8_t {
  kMean,   // of all of them
  kFirst,  // that of the first token: "cls"
  kLast,   // that of the last token
};
struct EmbeddingParameters {
  std::optional<Pooling> pooling;  // none: as the model's file says, else kMean
  bool normalize = true;           // to length 1
};
constexpr std::size_t kEmbedTextsMax = 256;
// That end in one step: a sink is given their vectors at once.
constexpr std::uint32_t kEmbedTextsOfStepMax = 8;
// Of all texts of a request together; the context that is served, where that is more.
constexpr std::uint32_t kEmbedTokensMax = 65536;

enum class FinishReason : std::uint8_t {
  kStopToken,
  kToolCalls,  // the model's own end token, after at least one whole call of a tool
  kStopSequence,
  kMaxTokens,  // all that was asked for was done; also how a Score or Embed that succeeds ends
  kTimeLimit,
  kCancelled,
  kContextFull,
  kError,
};

struct StartedEvent {
  RequestId request;
  std::uint32_t queue_position = 0;  // requests that must end before this one can run; 0: it runs
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_tokens = 0;
};

// While a prompt takes more than one step; and, with nothing processed, when a request that had to
// wait begins to run.
struct PromptProgressEvent {
  std::uint32_t processed_tokens = 0;
  std::uint32_t prompt_tokens = 0;
};

// One step's output. Text holds whole characters only, so it may be empty while ids are not; it
// never runs ahead into what may still become a stop sequence. Control tokens have no text; a token
// that stops the request is in FinishedEvent only.
struct ChunkEvent {
  std::string text;                  // of an answer that is not split
  std::vector<AnswerEvent> parts{};  // of one that is
  std::vector<TokenId> tokens;
  // One for each of `tokens` when asked for. For Score: the text's tokens from the second on.
  std::vector<SampledToken> logprobs;
};

// Of Embed: the next text's vector.
struct EmbeddingEvent {
  std::uint32_t text_index = 0;
  std::uint32_t tokens = 0;   // of the text
  std::vector<float> values;  // [width of the model]
};

struct RequestTimings {
  std::uint64_t queue_ns = 0;
  std::uint64_t prompt_ns = 0;
  std::uint64_t decode_ns = 0;
};

struct RequestIo {
  std::uint64_t experts_used = 0;
  std::uint64_t expert_hits = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t wait_ns = 0;
};

struct FinishedEvent {
  FinishReason reason = FinishReason::kError;
  Status status;              // not OK exactly for kError and kCancelled
  std::string stop_sequence;  // the one that matched
  std::optional<TokenId> stop_token;
  std::string text;  // last characters that were held back
  std::vector<AnswerEvent> parts{};
  std::uint32_t prompt_tokens = 0;
  std::uint32_t completion_tokens = 0;  // sampled, a stop token included
  std::uint32_t reasoning_tokens = 0;   // of these; of an answer that is split
  RequestTimings timings;
  RequestIo io;
};

// Receives a request's events, in order: Started, then PromptProgress and Chunk or Embedding, then
// Finished exactly once.
//
// Threads: called on the engine's thread only; a Submit that fails calls nothing. Calls must not
// block and must not call the engine back, except Abort. The engine destroys the sink after
// OnFinished.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnStarted(const StartedEvent& event) = 0;
  virtual void OnPromptProgress(const PromptProgressEvent& event) = 0;
  virtual void OnChunk(ChunkEvent event) = 0;
  virtual void OnEmbedding(EmbeddingEvent event) = 0;  // of requests that embed
  virtual void OnFinished(FinishedEvent event) = 0;
  // False while the reader is too slow to take more: the request pauses, others go on; after
  // stall_timeout it ends with RESOURCE_EXHAUSTED. Call Engine::Wake when it becomes true again.
  virtual bool CanTake() const = 0;
};

}  // namespace edgemoe
