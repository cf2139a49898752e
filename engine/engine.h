// SPDX-License-Identifier: Apache-2.0
//
// One model, loaded under a memory budget, serving requests. The headers that stand beside this one
// are the engine's other services; with base/ they are all that server/ and bench/ may include.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/heartbeat.h"
#include "engine/base/ids.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/describe.h"
#include "engine/model/sampler.h"
#include "engine/options.h"
#include "engine/plan.h"
#include "engine/scheduler/request.h"
#include "engine/stream/read_ahead/stats.h"

namespace edgemoe {

// ---- Requests (StopParameters and events: engine/scheduler/request.h) ----

// A function that the model may call.
struct ToolDefinition {
  std::string name;  // of 1 to 256 bytes
  std::string description;
  std::string parameters;  // JSON Schema of an object; empty: no parameters
};
constexpr std::size_t kToolsMax = 128;
constexpr std::size_t kToolParametersBytesMax = std::size_t{1} << 20;

// The answer comes as AnswerEvents where the model's template tells how it marks the parts of one,
// and as text where it does not.
struct AnswerOptions {
  std::vector<ToolDefinition> tools;  // those that the template was given
  // After so many tokens of reasoning it is closed. Without effect where reasoning is not marked.
  std::optional<std::uint32_t> reasoning_tokens_max;
};

struct GenerateRequest {
  // Text is tokenised with add_special and parse_special.
  std::variant<std::string, std::vector<TokenId>> prompt;
  SamplingParameters sampling;
  StopParameters stop;
  int top_logprob_count = -1;  // -1: no log-probabilities; up to kTopLogprobsMax
  // For prompts that a template made; none: the answer is one text.
  std::optional<AnswerOptions> answer = std::nullopt;
};

// Log-probabilities of a given text, teacher-forced: the first token has none.
struct ScoreRequest {
  std::variant<std::string, std::vector<TokenId>> text;
  std::uint32_t top_logprob_count = 0;
};

// Vectors of texts. Each text is tokenised with add_special and parse_special.
struct EmbedRequest {
  std::vector<std::string> texts;  // [1, kEmbedTextsMax], together at most kEmbedTokensMax tokens
  EmbeddingParameters parameters;
};

constexpr std::size_t kDetokenizedBytesMax = std::size_t{3} << 20;  // of an answer

struct TokenPiece {
  TokenId token;
  std::string bytes;             // as the vocabulary holds it; may be part of a character
  std::uint32_t byte_begin = 0;  // in the text given
  std::uint32_t byte_end = 0;
};

// The tokens of one text, some at a time: an answer to a long text needs little memory. Not beyond
// the engine's life. One thread at a time.
class TextTokens {
 public:
  virtual ~TextTokens() = default;
  // The next tokens, at most `count_max`; none at the end. INVALID_ARGUMENT names "text".
  virtual Result<std::vector<TokenPiece>> Next(std::size_t count_max) = 0;
};

struct TokenizeOptions {
  bool add_special = true;    // the model's own begin-of-sequence, where it wants one
  bool parse_special = true;  // "<|im_start|>" in the text is the token of that name
};

struct DetokenizeOptions {
  bool render_special = true;  // special tokens by name, not left out
  // The tokens are the first ones of a text: the space that some vocabularies put before one is
  // left out.
  bool from_start = true;
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // a JSON object
};

// All texts are UTF-8.
struct ChatMessage {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
  // Of "assistant". The template decides which of it the model sees again.
  std::string reasoning{};
  std::vector<ToolCall> tool_calls{};  // at most kToolsMax
  // Of "tool": which call is answered, by which tool.
  std::string tool_call_id{};
  std::string tool_name{};
};

struct ChatTemplateOptions {
  bool add_generation_prompt = true;
  // Name to JSON value, as in enable_thinking: false.
  std::vector<std::pair<std::string, std::string>> variables;
  std::vector<ToolDefinition> tools{};
  // What templates call enable_thinking (some of them: thinking) and reasoning_effort; none or
  // empty: the template's own choice.
  std::optional<bool> thinks = std::nullopt;
  std::string reasoning_effort{};
};

// ---- Observing ----

struct EngineStats {
  std::uint64_t uptime_ns = 0;
  std::uint32_t sessions_running = 0;
  std::uint32_t sessions_queued = 0;
  std::uint64_t requests_finished = 0;  // whatever the reason
  std::uint64_t requests_failed = 0;    // of these, with kError
  std::uint64_t requests_refused = 0;   // at admission
  std::uint64_t prompt_tokens = 0;      // run
  std::uint64_t completion_tokens = 0;  // sampled
  std::uint64_t steps = 0;
  std::uint64_t expert_uses = 0;
  std::uint64_t expert_hits = 0;
  std::uint64_t expert_evictions = 0;
  std::uint64_t expert_bytes_read = 0;
  std::uint64_t expert_read_errors = 0;
  std::uint64_t storage_wait_ns = 0;
  // How fast storage was while the engine did nothing but wait for it: bytes that arrived, and the
  // time in which they did.
  std::uint64_t storage_wait_bytes = 0;
  std::uint64_t storage_wait_meter_ns = 0;
  std::uint64_t storage_model_bytes_per_second = 0;  // of storage_profile; 0: real storage
  std::uint64_t compute_ns = 0;                      // time in steps less waiting for storage
  ReadAheadStats read_ahead;
  std::uint64_t experts_resident = 0;
  std::uint64_t experts_total = 0;
  std::uint64_t expert_resident_bytes = 0;
  std::uint64_t state_blocks_used = 0;  // of sequences; see StatePool
  std::uint64_t state_blocks_total = 0;
  // How often a request gave its memory back to older ones, and was run again from its beginning.
  std::uint64_t requests_preempted = 0;
  std::uint64_t expert_slab_bytes = 0;  // memory.expert_bytes, or less while idle
  MemoryPlan memory;                    // as of the last Resize
  std::string io_backend;               // the one in use
  // Why not the preferred backend, and whether O_DIRECT and fixed buffers are in force.
  std::string io_note;
  std::string kernels;  // the table in use
  std::string eviction_policy;
  std::string predictor;
  std::uint32_t threads = 0;
};

// Called on the engine's thread, which waits for it: steps_recorded() of the recording.
using RecordedStepObserver = std::function<void(std::uint64_t steps_recorded)>;

// A recording of what the routers of a live engine choose, as ReplayTrace reads it.
class RoutingRecording {
 public:
  // Ends it, after the step that runs. To be destroyed before the engine.
  virtual ~RoutingRecording() = default;
  // What the file begins with.
  virtual const std::string& header() const = 0;
  // The lines of the steps that ended since the last call; may be empty. One thread.
  virtual std::string Take() = 0;
  // No further step is recorded; what was not taken yet can be. Waits for the step that runs.
  virtual void Stop() = 0;
  virtual std::uint64_t steps_recorded() const = 0;
  virtual std::uint64_t steps_dropped() const = 0;  // because Take came too late
};

// Thread-safe but for the destructor, which must be the last call. The engine's own thread runs the
// step loop.
class Engine {
 public:
  // Loads the model; `progress` is told bytes loaded and to load, on the calling thread.
  // RESOURCE_EXHAUSTED with the least budget that works; other codes as DescribeModel's.
  using OpenProgress = std::function<void(std::uint64_t bytes_loaded, std::uint64_t bytes_total)>;
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options, OpenProgress progress = {});

  // What Open does before it loads weights, with the same errors; keeps and measures nothing. Gives
  // the options as they would be in force here: what was chosen in place of 0 and "auto". Only
  // io_depth may stay 0, which takes a measurement.
  static Result<EngineOptions> Check(EngineOptions options);

  // Cancels what is left (see Drain) and joins the engine's thread.
  virtual ~Engine() = default;

  virtual const ModelDescription& model() const = 0;

  // OK; or UNAVAILABLE with the reason, as long as the model's file is another than that which was
  // loaded or cannot be read. Requests are refused with it then; it may pass by itself. Changes are
  // told through EngineOptions::on_availability.
  virtual Status availability() const = 0;

  // Of the engine's thread: it beats with each layer and each read that lands.
  virtual Pulse pulse() const = 0;

  // Takes a request into the bounded queue. Never waits for the model.
  // INVALID_ARGUMENT names the field as in proto/edgemoe/v1 ("stopping.sequences[2]");
  // RESOURCE_EXHAUSTED: queue full; UNAVAILABLE: draining, or see `availability`. On an error the
  // sink is destroyed uncalled. A prompt that is empty, or longer than the context, is
  // INVALID_ARGUMENT; so is a text to score of less than two tokens.
  virtual Result<RequestId> Generate(GenerateRequest request, std::unique_ptr<EventSink> sink) = 0;
  virtual Result<RequestId> Score(ScoreRequest request, std::unique_ptr<EventSink> sink) = 0;
  virtual Result<RequestId> Embed(EmbedRequest request, std::unique_ptr<EventSink> sink) = 0;

  // Ends a request with kCancelled within one layer. NOT_FOUND when it is not queued or running.
  virtual Status Abort(RequestId request) = 0;

  // To be called when a sink that could not take more can take events again. Cheap; any thread.
  virtual void Wake() = 0;

  // INVALID_ARGUMENT for text that is not UTF-8, naming the byte offset.
  virtual Result<std::unique_ptr<TextTokens>> Tokenize(std::string text,
                                                       const TokenizeOptions& options) const = 0;
  // INVALID_ARGUMENT names an id that is no token; also when the text would be longer than
  // kDetokenizedBytesMax. Bytes that are not UTF-8 become U+FFFD.
  virtual Result<std::string> Detokenize(std::span<const TokenId> tokens,
                                         const DetokenizeOptions& options) const = 0;
  // FAILED_PRECONDITION when the file has no chat template.
  virtual Result<std::string> ApplyTemplate(std::span<const ChatMessage> messages,
                                            const ChatTemplateOptions& options) const = 0;

  virtual EngineStats GetStats() const = 0;

  // Another budget for everything (0: the default one), while sessions go on: experts give way, or
  // get more room. Waits for the step that runs. Gives the new plan. RESOURCE_EXHAUSTED with the
  // least that works, or above what is usable here, or when the kernel has no memory; nothing has
  // changed then. FAILED_PRECONDITION in a mode of measurements; UNAVAILABLE when the engine ends.
  virtual Result<MemoryPlan> Resize(std::uint64_t budget_bytes) = 0;

  // Starts a recording with the next step. `observer` is told of each step that Take can give,
  // until the recording is stopped; a step can be taken when the next one begins, or by Stop.
  // FAILED_PRECONDITION while there is another recording, or in a mode without a cache; UNAVAILABLE
  // when the engine ends.
  virtual Result<std::unique_ptr<RoutingRecording>> RecordRouting(
      RecordedStepObserver observer) = 0;

  // Refuses new requests from now on and waits until the others have finished, or until
  // `timeout_ms`, after which they are cancelled. Returns true when all finished by themselves.
  virtual bool Drain(std::uint32_t timeout_ms) = 0;
};

}  // namespace edgemoe
