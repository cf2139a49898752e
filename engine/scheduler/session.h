// SPDX-License-Identifier: Apache-2.0
//
// One request, from the moment it is taken until its sink has heard the end.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/sequence_matcher.h"
#include "engine/base/status.h"
#include "engine/model/forward.h"
#include "engine/model/sampler.h"
#include "engine/model/state/sequence_state.h"
#include "engine/scheduler/request.h"
#include "engine/scheduler/token_text.h"
#include "engine/tokenizer/utf8_stream.h"

namespace edgemoe {

enum class RequestKind : std::uint8_t { kGenerate, kScore };

// A request whose fields were checked: see engine.h for their bounds.
struct CheckedRequest {
  RequestKind kind = RequestKind::kGenerate;
  std::vector<TokenId> prompt;  // [1, context_tokens]; Score: at least 2
  SamplingParameters sampling;
  StopParameters stop;
  int top_logprob_count = -1;
};

// Why a session ends.
struct SessionEnd {
  FinishReason reason = FinishReason::kError;
  Status status{};
  std::string stop_sequence{};
  std::optional<TokenId> stop_token{};
};

// Rows that one session may add to a step.
struct RowAllowance {
  std::uint32_t rows_max = 0;
  std::uint32_t logit_rows_max = 0;
};

// Threads: made by the client's thread, from RequestQueue::Submit on confined to the engine's
// thread, but for the cancel flag.
// States: waiting -> (Join) prompt -> decode; from both of these back to waiting (Preempt), when
// memory for sequences runs short: what was run is computed again after the next Join, which gives
// the same. Finish from any of them, once.
class Session {
 public:
  // `text` outlives the session. `now_ns`: when the request was taken.
  Session(CheckedRequest plan, std::unique_ptr<EventSink> sink, const TokenText& text,
          std::uint64_t now_ns);

  // Called once by RequestQueue.
  void Accept(RequestId id, std::uint32_t queue_position);

  RequestId id() const { return id_; }
  std::atomic<bool>& cancel_flag() { return cancelled_; }
  const EventSink& sink() const { return *sink_; }
  // The clock's value at which the request's own time limit ends it.
  std::optional<std::uint64_t> deadline_ns() const;

  // Tells the sink that the request was taken, and whether it runs already: REQUIRES: joined, or it
  // waits. Once; Finish does it where nobody did.
  void Start();
  bool started() const { return started_; }

  // Takes memory for the prompt, and makes what only running requests need; tells a sink that heard
  // of a wait that it is over. RESOURCE_EXHAUSTED leaves the session waiting.
  Status Join(StatePool& state, std::uint32_t context_tokens, std::uint64_t now_ns);
  // Its next rows are tokens that are known already: the prompt, or what is run again. REQUIRES:
  // joined.
  bool in_prompt() const { return position_ < std::max(prompt_rows(), run_before_); }
  // Its next rows were run before it was preempted.
  bool recomputes() const { return position_ < run_before_; }

  // How many rows it has next: one in decode, in the prompt up to what is allowed (at least one; a
  // Score row needs logits).
  std::uint32_t NextRows(const RowAllowance& allowance) const;
  // Takes memory for the next `count` rows. RESOURCE_EXHAUSTED: nothing has changed.
  Status Prepare(std::uint32_t count) { return sequence_->Prepare(position_, position_ + count); }
  // Gives its memory back and waits again. REQUIRES: joined.
  void Preempt();
  // Appends the next `count` rows. REQUIRES: prepared.
  void AppendRows(std::uint32_t count, std::vector<BatchRow>& rows);

  // Takes the results of those rows and tells the sink; gives the end if this was the last step.
  std::optional<SessionEnd> TakeResults(std::span<const RowResult> results, std::uint64_t now_ns);

  // Its place among the running ones, while it has one. Set by the step loop.
  std::optional<SessionSlot> slot;
  // Since when the reader has taken nothing. Set by the step loop.
  std::optional<std::uint64_t> stalled_since_ns;

  // Gives its memory back. Then Finish tells the sink, once, and destroys it.
  void Leave() { sequence_.reset(); }
  std::string TakeRest(SessionEnd& end);
  void Finish(SessionEnd end, std::uint64_t now_ns);

  std::uint32_t completion_tokens() const { return completion_tokens_; }

 private:
  // Prompt positions that are run: the last token of a scored text predicts nothing.
  std::uint32_t prompt_rows() const;
  std::uint32_t prompt_tokens() const { return static_cast<std::uint32_t>(plan_.prompt.size()); }
  TokenId TokenAt(std::uint32_t position) const;
  bool WillSample() const;
  std::optional<SessionEnd> TakeScores(std::span<const RowResult> results, std::uint32_t first);
  std::optional<SessionEnd> TakeSample(const float* logits);
  // The end that the number of tokens alone brings about, if it is reached.
  std::optional<SessionEnd> EndByLength() const;
  bool Stops(TokenId token) const;

  RequestId id_;
  CheckedRequest plan_;
  std::unique_ptr<EventSink> sink_;
  const TokenText& text_;
  std::atomic<bool> cancelled_{false};
  std::uint32_t queue_position_ = 0;
  bool started_ = false;

  std::uint32_t context_tokens_ = 0;
  std::uint32_t position_ = 0;    // rows run
  std::uint32_t run_before_ = 0;  // rows that were run when it was preempted
  std::vector<TokenId> answer_;   // sampled, in order
  std::uint32_t completion_tokens_ = 0;
  std::optional<SequenceState> sequence_;
  std::optional<Sampler> sampler_;
  Utf8Stream utf8_;
  SequenceMatcher stop_matcher_;

  std::uint64_t taken_ns_;
  std::optional<std::uint64_t> joined_ns_;
  std::optional<std::uint64_t> prompt_done_ns_;
  RequestIo io_;
};

}  // namespace edgemoe
