// SPDX-License-Identifier: Apache-2.0
#include "server/calls/translate/events.h"

#include <cmath>
#include <span>
#include <utility>

#include "engine/base/clock.h"

namespace edgemoe {
namespace {

double PerSecond(std::uint64_t count, std::uint64_t time_ns) {
  return time_ns == 0 ? 0 : static_cast<double>(count) / SecondsOfNs(time_ns);
}

void FillStarted(const StartedEvent& event, const Engine& engine, const std::string& request_id,
                 v1::Started& started) {
  started.set_request_id(request_id);
  started.set_queue_position(event.queue_position);
  started.set_prompt_tokens(event.prompt_tokens);
  started.set_cached_tokens(event.cached_tokens);
  started.set_model(engine.model().name);
}

void FillLogprob(const Engine& engine, TokenId token, float logprob, v1::TokenLogprob& out) {
  out.set_token(token.value);
  out.set_logprob(logprob);
  const TokenId tokens[] = {token};
  if (auto text = engine.Detokenize(tokens, {.render_special = true, .from_start = false}))
    out.set_text(*std::move(text));
}

void FillSampled(const Engine& engine, const SampledToken& token, v1::SampledLogprob& out) {
  FillLogprob(engine, token.token, token.logprob, *out.mutable_sampled());
  for (const TokenLogprob& other : token.top)
    FillLogprob(engine, other.token, other.logprob, *out.add_top());
}

// What Finished, ScoreFinished and EmbedFinished have in common.
template <class Message>
void FillAccounts(const FinishedEvent& event, std::uint32_t cached_tokens, Message& message) {
  v1::Usage& usage = *message.mutable_usage();
  usage.set_prompt_tokens(event.prompt_tokens);
  usage.set_cached_tokens(cached_tokens);
  usage.set_completion_tokens(event.completion_tokens);
  usage.set_reasoning_tokens(event.reasoning_tokens);
  v1::Timings& timings = *message.mutable_timings();
  timings.set_queue_seconds(SecondsOfNs(event.timings.queue_ns));
  timings.set_prompt_seconds(SecondsOfNs(event.timings.prompt_ns));
  timings.set_decode_seconds(SecondsOfNs(event.timings.decode_ns));
  timings.set_prompt_tokens_per_second(
      PerSecond(event.prompt_tokens - cached_tokens, event.timings.prompt_ns));
  timings.set_decode_tokens_per_second(DecodeTokensPerSecond(event));
  v1::IoAccount& io = *message.mutable_io();
  io.set_experts_used(event.io.experts_used);
  io.set_expert_hits(event.io.expert_hits);
  io.set_bytes_read(event.io.bytes_read);
  io.set_wait_seconds(SecondsOfNs(event.io.wait_ns));
}

// Nine letters and digits, which is what Mistral's templates take; others take any.
std::string CallId(const std::string& request_id, std::uint32_t index) {
  constexpr std::size_t kRequestDigits = 6;
  const std::string digits = std::to_string(1000 + index % 1000);
  std::string id = request_id.substr(0, kRequestDigits);
  id.resize(kRequestDigits, '0');
  return id + digits.substr(1);
}

}  // namespace

v1::FinishReason ToApi(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStopToken: return v1::FINISH_REASON_STOP_TOKEN;
    case FinishReason::kToolCalls: return v1::FINISH_REASON_TOOL_CALLS;
    case FinishReason::kStopSequence: return v1::FINISH_REASON_STOP_SEQUENCE;
    case FinishReason::kMaxTokens: return v1::FINISH_REASON_MAX_TOKENS;
    case FinishReason::kTimeLimit: return v1::FINISH_REASON_TIME_LIMIT;
    case FinishReason::kCancelled: return v1::FINISH_REASON_CANCELLED;
    case FinishReason::kContextFull: return v1::FINISH_REASON_CONTEXT_FULL;
    case FinishReason::kError: return v1::FINISH_REASON_ERROR;
  }
  return v1::FINISH_REASON_UNSPECIFIED;
}

double DecodeTokensPerSecond(const FinishedEvent& event) {
  if (event.completion_tokens < 2) return 0;
  return PerSecond(event.completion_tokens - 1, event.timings.decode_ns);
}

template <class Response>
void GenerateTranslator<Response>::FillParts(std::vector<AnswerEvent> parts, v1::Chunk& chunk) {
  // All that happens to a call within a chunk is one part of it.
  const auto call = [&]() -> v1::ToolCallDelta& {
    const int last = chunk.tool_calls_size() - 1;
    if (last >= 0 && chunk.tool_calls(last).index() == call_index_)
      return *chunk.mutable_tool_calls(last);
    v1::ToolCallDelta& added = *chunk.add_tool_calls();
    added.set_index(call_index_);
    return added;
  };
  for (AnswerEvent& part : parts) {
    switch (part.kind) {
      case AnswerEvent::Kind::kReasoning: *chunk.mutable_reasoning() += part.text; break;
      case AnswerEvent::Kind::kContent: *chunk.mutable_text() += part.text; break;
      case AnswerEvent::Kind::kCallBegun:
        call_index_ = part.call_index.value_or(0);
        call().set_name(std::move(part.call_name));
        call().set_id(part.call_id.empty() ? CallId(request_id_, call_index_)
                                           : std::move(part.call_id));
        break;
      case AnswerEvent::Kind::kArguments: *call().mutable_arguments() += part.text; break;
      case AnswerEvent::Kind::kCallEnded: call().set_finished(true); break;
      case AnswerEvent::Kind::kNotParsed: {
        v1::NotParsed& not_parsed = *chunk.add_not_parsed();
        not_parsed.set_reason(std::move(part.text));
        if (part.call_index) not_parsed.set_index(*part.call_index);
        break;
      }
    }
  }
}

template <class Response>
std::optional<Response> GenerateTranslator<Response>::operator()(StreamEvent event) {
  Response response;
  if (std::holds_alternative<WaitingEvent>(event)) {
    response.mutable_waiting();
  } else if (const auto* started = std::get_if<StartedEvent>(&event)) {
    cached_tokens_ = started->cached_tokens;
    FillStarted(*started, engine_, request_id_, *response.mutable_started());
    response.mutable_started()->set_seed(seed_);
  } else if (const auto* progress = std::get_if<PromptProgressEvent>(&event)) {
    response.mutable_progress()->set_processed_tokens(progress->processed_tokens);
    response.mutable_progress()->set_prompt_tokens(progress->prompt_tokens);
  } else if (auto* chunk = std::get_if<ChunkEvent>(&event)) {
    v1::Chunk& message = *response.mutable_chunk();
    message.set_text(std::move(chunk->text));
    FillParts(std::move(chunk->parts), message);
    for (const TokenId token : chunk->tokens) message.add_tokens(token.value);
    if (with_logprobs_) {
      for (const SampledToken& token : chunk->logprobs)
        FillSampled(engine_, token, *message.add_logprobs());
    }
  } else {
    const auto& finished = std::get<FinishedEvent>(event);
    v1::Finished& message = *response.mutable_finished();
    message.set_reason(ToApi(finished.reason));
    message.set_stop_sequence(finished.stop_sequence);
    if (finished.stop_token) message.set_stop_token(finished.stop_token->value);
    FillAccounts(finished, cached_tokens_, message);
  }
  return response;
}

template class GenerateTranslator<v1::CompleteResponse>;
template class GenerateTranslator<v1::ChatResponse>;

std::optional<v1::ScoreResponse> ScoreTranslator::operator()(StreamEvent event) {
  v1::ScoreResponse response;
  if (std::holds_alternative<WaitingEvent>(event)) {
    response.mutable_waiting();
  } else if (const auto* started = std::get_if<StartedEvent>(&event)) {
    cached_tokens_ = started->cached_tokens;
    FillStarted(*started, engine_, request_id_, *response.mutable_started());
  } else if (const auto* progress = std::get_if<PromptProgressEvent>(&event)) {
    response.mutable_progress()->set_processed_tokens(progress->processed_tokens);
    response.mutable_progress()->set_prompt_tokens(progress->prompt_tokens);
  } else if (const auto* chunk = std::get_if<ChunkEvent>(&event)) {
    if (chunk->logprobs.empty()) return std::nullopt;
    for (const SampledToken& token : chunk->logprobs) {
      FillSampled(engine_, token, *response.mutable_scored()->add_logprobs());
      logprob_sum_ += static_cast<double>(token.logprob);
      ++scored_tokens_;
    }
  } else {
    const auto& finished = std::get<FinishedEvent>(event);
    v1::ScoreFinished& message = *response.mutable_finished();
    message.set_logprob_sum(logprob_sum_);
    message.set_scored_tokens(scored_tokens_);
    if (scored_tokens_ > 0) message.set_perplexity(std::exp(-logprob_sum_ / scored_tokens_));
    FillAccounts(finished, cached_tokens_, message);
  }
  return response;
}

std::optional<v1::EmbedResponse> EmbedTranslator::operator()(StreamEvent event) {
  v1::EmbedResponse response;
  if (std::holds_alternative<WaitingEvent>(event)) {
    response.mutable_waiting();
  } else if (const auto* started = std::get_if<StartedEvent>(&event)) {
    cached_tokens_ = started->cached_tokens;
    FillStarted(*started, engine_, request_id_, *response.mutable_started());
  } else if (const auto* progress = std::get_if<PromptProgressEvent>(&event)) {
    response.mutable_progress()->set_processed_tokens(progress->processed_tokens);
    response.mutable_progress()->set_prompt_tokens(progress->prompt_tokens);
  } else if (const auto* embedding = std::get_if<EmbeddingEvent>(&event)) {
    v1::Embedding& message = *response.mutable_embedding();
    message.set_index(embedding->text_index);
    message.mutable_values()->Add(embedding->values.begin(), embedding->values.end());
    message.set_tokens(embedding->tokens);
  } else if (const auto* finished = std::get_if<FinishedEvent>(&event)) {
    FillAccounts(*finished, cached_tokens_, *response.mutable_finished());
  } else {
    return std::nullopt;
  }
  return response;
}

}  // namespace edgemoe
