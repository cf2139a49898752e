// SPDX-License-Identifier: Apache-2.0
//
// One request, from the moment it is taken until its sink has heard the end.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/answer/answer_format.h"
#include "engine/answer/answer_parser.h"
#include "engine/base/ids.h"
#include "engine/base/sequence_matcher.h"
#include "engine/base/status.h"
#include "engine/model/forward.h"
#include "engine/model/sampler.h"
#include "engine/model/state/sequence_state.h"
#include "engine/scheduler/embedding_pool.h"
#include "engine/scheduler/request.h"
#include "engine/scheduler/token_text.h"
#include "engine/tokenizer/utf8_stream.h"

namespace edgemoe {

// How an answer is split, and when its reasoning is closed.
struct AnswerSplit {
  AnswerFormat format;
  std::vector<AnswerTool> tools;
  std::string prompt_end;  // what the answer follows
  std::optional<std::uint32_t> reasoning_tokens_max;
  // Written then in place of what the model would write. Not empty where there is a limit.
  std::vector<TokenId> reasoning_end;
};

enum class RequestKind : std::uint8_t { kGenerate, kScore, kEmbed };

// A request whose fields were checked: see engine.h for their bounds.
struct CheckedRequest {
  RequestKind kind = RequestKind::kGenerate;
  std::vector<TokenId> prompt;  // [1, context_tokens]; Score: at least 2; Embed: the first text
  std::vector<std::vector<TokenId>> further_texts;  // Embed: run after it, in order
  EmbeddingParameters embedding;
  SamplingParameters sampling;
  StopParameters stop;
  int top_logprob_count = -1;
  std::optional<AnswerSplit> split = std::nullopt;  // none: the answer is one text
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
  // Score row needs logits). Behind a text's last row come those of further texts, as many as are
  // allowed whole.
  std::uint32_t NextRows(const RowAllowance& allowance) const;
  // Takes memory for the next `count` rows, further texts' apart. RESOURCE_EXHAUSTED: nothing has
  // changed.
  Status Prepare(std::uint32_t count) {
    return sequence_->Prepare(position_, position_ + OwnRows(count));
  }
  // Gives its memory back and waits again. REQUIRES: joined.
  void Preempt();
  // Appends the next `count` rows, fewer where there is no memory for further texts. REQUIRES:
  // prepared.
  void AppendRows(std::uint32_t count, std::vector<BatchRow>& rows);

  // Takes the results of those rows and tells the sink; gives the end if this was the last step.
  std::optional<SessionEnd> TakeResults(std::span<const RowResult> results, std::uint64_t now_ns);

  // Its place among the running ones, while it has one. Set by the step loop.
  std::optional<SessionSlot> slot;
  // Since when the reader has taken nothing. Set by the step loop.
  std::optional<std::uint64_t> stalled_since_ns;

  // Gives its memory back. Then Finish tells the sink, once, and destroys it.
  void Leave() {
    further_.clear();
    sequence_.reset();
  }
  std::string TakeRest(SessionEnd& end);
  void Finish(SessionEnd end, std::uint64_t now_ns);

  std::uint32_t completion_tokens() const { return completion_tokens_; }

 private:
  // Prompt positions that are run: the last token of a scored text predicts nothing.
  std::uint32_t prompt_rows() const;
  std::uint32_t prompt_tokens() const { return static_cast<std::uint32_t>(plan_.prompt.size()); }
  // As events tell it: of all texts.
  PromptProgressEvent Progress() const;
  TokenId TokenAt(std::uint32_t position) const;
  // Of the next `count` rows those of the text that is plan_.prompt.
  std::uint32_t OwnRows(std::uint32_t count) const;
  // How many further texts end in a step of `count` rows, and their rows.
  struct FurtherTexts {
    std::uint32_t texts = 0;
    std::uint32_t rows = 0;
  };
  FurtherTexts FurtherIn(std::uint32_t count) const;
  void AppendFurther(std::uint32_t count, BatchRow row, std::vector<BatchRow>& rows);
  bool WillSample() const;
  std::optional<SessionEnd> TakeScores(std::span<const RowResult> results, std::uint32_t first);
  std::optional<SessionEnd> TakeHidden(std::span<const RowResult> results);
  std::optional<SessionEnd> EndText();
  std::optional<SessionEnd> TakeSample(const float* logits);
  // The next token: the model's own, or one that closes its reasoning.
  Result<SampledToken> NextToken(std::span<const float> logits);
  std::string_view BytesOf(TokenId token) const;
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
  std::uint32_t text_index_ = 0;     // of the text that plan_.prompt is; only Embed has several
  std::uint32_t texts_tokens_ = 0;   // of all texts
  std::uint32_t tokens_before_ = 0;  // of the texts that are done
  EmbeddingPool embedding_;
  std::optional<SequenceState> sequence_;
  std::deque<SequenceState> further_;  // of texts that run whole in this step
  StatePool* state_ = nullptr;         // once joined
  std::optional<Sampler> sampler_;
  Utf8Stream utf8_;
  SequenceMatcher stop_matcher_;
  std::optional<AnswerParser> parser_;
  std::uint32_t reasoning_tokens_ = 0;
  std::size_t forced_ = 0;  // of split->reasoning_end, still to be written

  std::uint64_t taken_ns_;
  std::optional<std::uint64_t> joined_ns_;
  std::optional<std::uint64_t> prompt_done_ns_;
  RequestIo io_;
};

}  // namespace edgemoe
