// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/session.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/clock.h"

namespace edgemoe {
namespace {

void AddTo(RequestIo& io, const ExpertIoAccount& step) {
  io.experts_used += step.experts_used;
  io.expert_hits += step.hits;
  io.bytes_read += step.bytes_read;
  io.wait_ns += step.wait_ns;
}

SessionEnd EndWithError(Status status) {
  const bool cancelled = status.code() == StatusCode::kCancelled;
  return {.reason = cancelled ? FinishReason::kCancelled : FinishReason::kError,
          .status = std::move(status)};
}

}  // namespace

Session::Session(CheckedRequest plan, std::unique_ptr<EventSink> sink, const TokenText& text,
                 std::uint64_t now_ns)
    : plan_(std::move(plan)),
      sink_(std::move(sink)),
      text_(text),
      embedding_(plan_.embedding),
      stop_matcher_(plan_.stop.sequences),
      taken_ns_(now_ns) {
  EDGEMOE_CHECK(!plan_.prompt.empty(), "a prompt is empty");
  EDGEMOE_CHECK(plan_.kind != RequestKind::kScore || plan_.prompt.size() >= 2, "nothing to score");
  texts_tokens_ = prompt_tokens();
  for (const std::vector<TokenId>& tokens : plan_.further_texts) {
    EDGEMOE_CHECK(!tokens.empty(), "a text is empty");
    texts_tokens_ += static_cast<std::uint32_t>(tokens.size());
  }
  if (!plan_.split) return;
  AnswerSplit& split = *plan_.split;
  EDGEMOE_CHECK(!split.reasoning_tokens_max || !split.reasoning_end.empty(),
                "reasoning has a limit and no end");
  parser_.emplace(split.format, std::move(split.tools), split.prompt_end);
}

void Session::Accept(RequestId id, std::uint32_t queue_position) {
  id_ = id;
  queue_position_ = queue_position;
}

std::optional<std::uint64_t> Session::deadline_ns() const {
  if (plan_.stop.time_limit_ms == 0) return std::nullopt;
  return taken_ns_ + plan_.stop.time_limit_ms * kNsPerMs;
}

void Session::Start() {
  EDGEMOE_CHECK(!started_, "a request starts once");
  started_ = true;
  // Without memory for its state the first in the queue waits, too.
  const std::uint32_t waits_for = std::max(queue_position_, 1u);
  sink_->OnStarted({.request = id_,
                    .queue_position = sequence_.has_value() ? 0 : waits_for,
                    .prompt_tokens = texts_tokens_,
                    .cached_tokens = 0});
}

PromptProgressEvent Session::Progress() const {
  return {.processed_tokens = tokens_before_ + position_, .prompt_tokens = texts_tokens_};
}

std::uint32_t Session::prompt_rows() const {
  return plan_.kind == RequestKind::kScore ? prompt_tokens() - 1 : prompt_tokens();
}

Status Session::Join(StatePool& state, std::uint32_t context_tokens, std::uint64_t now_ns) {
  // What it runs at once, and a block more, so that it is not preempted again at the next token.
  const std::uint32_t known = std::max(prompt_rows(), run_before_);
  SequenceState sequence(state);
  EDGEMOE_RETURN_IF_ERROR(sequence.Reserve(std::min(known + kStateBlockTokens, context_tokens)));
  sequence_.emplace(std::move(sequence));
  state_ = &state;
  if (joined_ns_) return OkStatus();  // it was preempted
  context_tokens_ = context_tokens;
  joined_ns_ = now_ns;
  if (started_) sink_->OnPromptProgress(Progress());
  if (WillSample()) {
    sampler_.emplace(plan_.sampling, text_.size());
    for (const TokenId token : plan_.prompt) sampler_->Observe(token);
  }
  return OkStatus();
}

bool Session::WillSample() const {
  return plan_.kind == RequestKind::kGenerate && !EndByLength().has_value();
}

void Session::Preempt() {
  EDGEMOE_CHECK(sequence_.has_value(), "only what runs is preempted");
  sequence_.reset();
  slot.reset();
  run_before_ = std::max(run_before_, position_);
  position_ = 0;
}

std::uint32_t Session::NextRows(const RowAllowance& allowance) const {
  EDGEMOE_CHECK(allowance.rows_max > 0, "a session without room runs");
  if (recomputes()) return std::min(allowance.rows_max, run_before_ - position_);
  if (!in_prompt()) return 1;
  const std::uint32_t count = std::min(allowance.rows_max, prompt_rows() - position_);
  if (plan_.kind == RequestKind::kScore) return std::min(count, allowance.logit_rows_max);
  return count + FurtherIn(allowance.rows_max).rows;
}

std::uint32_t Session::OwnRows(std::uint32_t count) const {
  const std::uint32_t known = recomputes() ? run_before_ : prompt_rows();
  return in_prompt() ? std::min(count, known - position_) : count;
}

Session::FurtherTexts Session::FurtherIn(std::uint32_t count) const {
  FurtherTexts further;
  const bool ends_text =
      plan_.kind == RequestKind::kEmbed && !recomputes() && position_ + count >= prompt_rows();
  if (!ends_text) return further;
  std::uint32_t left = count - (prompt_rows() - position_);
  for (std::size_t i = text_index_; i < plan_.further_texts.size(); ++i) {
    const std::size_t rows = plan_.further_texts[i].size();
    if (rows > left || further.texts + 1 == kEmbedTextsOfStepMax) break;
    ++further.texts;
    further.rows += static_cast<std::uint32_t>(rows);
    left -= static_cast<std::uint32_t>(rows);
  }
  return further;
}

TokenId Session::TokenAt(std::uint32_t position) const {
  return position < prompt_tokens() ? plan_.prompt[position] : answer_[position - prompt_tokens()];
}

void Session::AppendRows(std::uint32_t count, std::vector<BatchRow>& rows) {
  EDGEMOE_CHECK(sequence_.has_value() && slot.has_value(), "a session without room runs");
  BatchRow row{.sequence = &*sequence_,
               .position = position_,
               .token = {},
               .cancelled = &cancelled_,
               .request = id_,
               .session = *slot,
               .phase = in_prompt() ? RoutingPhase::kPrefill : RoutingPhase::kDecode};
  const bool score = plan_.kind == RequestKind::kScore;
  const std::uint32_t own_count = OwnRows(count);
  for (std::uint32_t i = 0; i < own_count; ++i) {
    row.position = position_ + i;
    row.token = TokenAt(row.position);
    const bool last_known = row.position + 1 >= prompt_rows();
    row.wants_logits = !recomputes() && (score || (last_known && WillSample()));
    row.wants_hidden = plan_.kind == RequestKind::kEmbed && !recomputes() &&
                       embedding_.Wants(row.position, prompt_tokens());
    rows.push_back(row);
  }
  AppendFurther(count, row, rows);
}

void Session::AppendFurther(std::uint32_t count, BatchRow row, std::vector<BatchRow>& rows) {
  const std::uint32_t texts = FurtherIn(count).texts;
  row.wants_logits = false;
  for (std::uint32_t text = 0; text < texts; ++text) {
    const std::vector<TokenId>& tokens = plan_.further_texts[text_index_ + text];
    const auto token_count = static_cast<std::uint32_t>(tokens.size());
    row.sequence = &further_.emplace_back(*state_);
    if (!row.sequence->Prepare(0, token_count).ok()) {
      further_.pop_back();
      return;
    }
    for (std::uint32_t i = 0; i < token_count; ++i) {
      row.position = i;
      row.token = tokens[i];
      row.wants_hidden = embedding_.Wants(i, token_count);
      rows.push_back(row);
    }
  }
}

std::optional<SessionEnd> Session::TakeResults(std::span<const RowResult> results,
                                               std::uint64_t now_ns) {
  for (const RowResult& result : results) AddTo(io_, result.io);
  for (const RowResult& result : results) {
    if (!result.status.ok()) return EndWithError(result.status);
  }
  if (recomputes()) {
    position_ += static_cast<std::uint32_t>(results.size());
    return std::nullopt;
  }
  const bool was_in_prompt = in_prompt();
  const std::uint32_t first = position_;
  position_ += OwnRows(static_cast<std::uint32_t>(results.size()));
  if (was_in_prompt && !in_prompt()) prompt_done_ns_ = now_ns;

  if (plan_.kind == RequestKind::kScore) return TakeScores(results, first);
  if (plan_.kind == RequestKind::kEmbed) return TakeHidden(results);
  if (in_prompt()) {
    sink_->OnPromptProgress(Progress());
    return std::nullopt;
  }
  if (was_in_prompt) {
    if (std::optional<SessionEnd> end = EndByLength()) return end;
  }
  return TakeSample(results.back().logits);
}

std::optional<SessionEnd> Session::TakeScores(std::span<const RowResult> results,
                                              std::uint32_t first) {
  ChunkEvent chunk;
  const auto top_count = static_cast<std::uint32_t>(std::max(plan_.top_logprob_count, 0));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TokenId token = plan_.prompt[first + i + 1];
    const std::span<const float> logits(results[i].logits, text_.size());
    if (std::isnan(logits[static_cast<std::size_t>(token.value)])) {
      return EndWithError(InternalError("the model's output for token " +
                                        std::to_string(token.value) +
                                        " is not a number; the weights may be damaged"));
    }
    chunk.tokens.push_back(token);
    chunk.logprobs.push_back(LogProbabilities(logits, token, top_count));
  }
  sink_->OnChunk(std::move(chunk));
  if (in_prompt()) return std::nullopt;
  return SessionEnd{.reason = FinishReason::kMaxTokens};
}

std::optional<SessionEnd> Session::TakeHidden(std::span<const RowResult> results) {
  const auto further_count = further_.size();
  further_.clear();
  std::size_t further_rows = 0;
  for (std::size_t i = 0; i < further_count; ++i)
    further_rows += plan_.further_texts[text_index_ + i].size();
  const auto add = [this](std::span<const RowResult> of_text) {
    for (const RowResult& result : of_text)
      if (!result.hidden.empty()) embedding_.Add(result.hidden);
  };
  add(results.first(results.size() - further_rows));
  results = results.last(further_rows);
  if (in_prompt()) {
    sink_->OnPromptProgress(Progress());
    return std::nullopt;
  }
  std::optional<SessionEnd> end = EndText();
  for (std::size_t i = 0; i < further_count && !end; ++i) {
    add(results.first(prompt_tokens()));
    results = results.subspan(prompt_tokens());
    end = EndText();
  }
  return end;
}

std::optional<SessionEnd> Session::EndText() {
  Result<std::vector<float>> values = embedding_.Take();
  if (!values) return EndWithError(std::move(values).error());
  sink_->OnEmbedding(
      {.text_index = text_index_, .tokens = prompt_tokens(), .values = *std::move(values)});
  if (text_index_ == plan_.further_texts.size())
    return SessionEnd{.reason = FinishReason::kMaxTokens};
  // The next one starts the sequence anew.
  tokens_before_ += prompt_tokens();
  plan_.prompt = std::move(plan_.further_texts[text_index_++]);
  position_ = 0;
  run_before_ = 0;
  return std::nullopt;
}

std::optional<SessionEnd> Session::TakeSample(const float* logits) {
  EDGEMOE_CHECK(logits != nullptr, "a sampling row came without logits");
  Result<SampledToken> sampled = NextToken({logits, text_.size()});
  if (!sampled) return EndWithError(std::move(sampled).error());
  const TokenId token = sampled->token;
  ++completion_tokens_;
  if (parser_ && parser_->in_reasoning()) ++reasoning_tokens_;
  if (forced_ > 0) {
    --forced_;
  } else if (Stops(token)) {
    return SessionEnd{.reason = FinishReason::kStopToken, .stop_token = token};
  }

  answer_.push_back(token);
  ChunkEvent chunk;
  const std::optional<std::size_t> matched =
      stop_matcher_.Push(utf8_.Push(BytesOf(token)), chunk.text);
  if (parser_) parser_->Push(std::exchange(chunk.text, {}), chunk.parts);
  chunk.tokens.push_back(token);
  if (plan_.top_logprob_count >= 0) chunk.logprobs.push_back(*std::move(sampled));
  sink_->OnChunk(std::move(chunk));
  if (matched) {
    utf8_ = {};  // what follows the match is not part of the answer
    return SessionEnd{.reason = FinishReason::kStopSequence,
                      .stop_sequence = stop_matcher_.sequence(*matched)};
  }
  return EndByLength();
}

Result<SampledToken> Session::NextToken(std::span<const float> logits) {
  const auto limit = plan_.split ? plan_.split->reasoning_tokens_max : std::nullopt;
  if (forced_ == 0 && limit && parser_->in_reasoning() && reasoning_tokens_ >= *limit)
    forced_ = plan_.split->reasoning_end.size();
  if (forced_ == 0) return sampler_->Sample(logits, plan_.top_logprob_count);
  const std::vector<TokenId>& end = plan_.split->reasoning_end;
  const TokenId token = end[end.size() - forced_];
  sampler_->Observe(token);
  if (plan_.top_logprob_count < 0) return SampledToken{.token = token, .logprob = 0, .top = {}};
  return LogProbabilities(logits, token, static_cast<std::uint32_t>(plan_.top_logprob_count));
}

// Marks are text to the parser, control tokens or not; nobody else sees a control token.
std::string_view Session::BytesOf(TokenId token) const {
  const std::string_view bytes = text_.Bytes(token);
  if (!bytes.empty() || !parser_) return bytes;
  const std::string_view name = text_.Name(token);
  return IsAnswerMark(plan_.split->format, name) ? name : bytes;
}

std::optional<SessionEnd> Session::EndByLength() const {
  if (plan_.stop.max_tokens && completion_tokens_ >= *plan_.stop.max_tokens)
    return SessionEnd{.reason = FinishReason::kMaxTokens};
  if (prompt_tokens() + completion_tokens_ >= context_tokens_)
    return SessionEnd{.reason = FinishReason::kContextFull};
  return std::nullopt;
}

bool Session::Stops(TokenId token) const {
  if (!plan_.stop.ignore_end_of_generation && text_.EndsGeneration(token)) return true;
  return std::find(plan_.stop.tokens.begin(), plan_.stop.tokens.end(), token) !=
         plan_.stop.tokens.end();
}

// What is held back, and what has become of a character that is not complete: it may be a stop
// sequence after all.
std::string Session::TakeRest(SessionEnd& end) {
  if (end.reason == FinishReason::kStopSequence) return "";  // nothing follows one
  std::string text;
  const auto matched = stop_matcher_.Push(utf8_.Flush(), text);
  if (!matched) return text + stop_matcher_.TakeHeld();
  const bool failed = end.reason == FinishReason::kError || end.reason == FinishReason::kCancelled;
  if (!failed)
    end = {.reason = FinishReason::kStopSequence,
           .stop_sequence = stop_matcher_.sequence(*matched)};
  return text;
}

void Session::Finish(SessionEnd end, std::uint64_t now_ns) {
  if (!started_) Start();
  EDGEMOE_CHECK(sink_ != nullptr, "a session finished twice");
  std::string rest = TakeRest(end);
  std::vector<AnswerEvent> parts;
  if (parser_) {
    parser_->Push(std::exchange(rest, {}), parts);
    parser_->Finish(parts);
    const bool own_end = end.stop_token && text_.EndsGeneration(*end.stop_token);
    if (own_end && parser_->calls_ended() > 0) end.reason = FinishReason::kToolCalls;
  }
  const std::uint64_t joined_ns = joined_ns_.value_or(now_ns);
  const std::uint64_t prompt_done_ns = prompt_done_ns_.value_or(now_ns);
  FinishedEvent event{.reason = end.reason,
                      .status = std::move(end.status),
                      .stop_sequence = std::move(end.stop_sequence),
                      .stop_token = end.stop_token,
                      .text = std::move(rest),
                      .parts = std::move(parts),
                      .prompt_tokens = texts_tokens_,
                      .completion_tokens = completion_tokens_,
                      .reasoning_tokens = reasoning_tokens_,
                      .timings = {.queue_ns = joined_ns - taken_ns_,
                                  .prompt_ns = prompt_done_ns - joined_ns,
                                  .decode_ns = now_ns - prompt_done_ns},
                      .io = io_};
  sink_->OnFinished(std::move(event));
  sink_.reset();
}

}  // namespace edgemoe
