// SPDX-License-Identifier: Apache-2.0
//
// The loop that turns requests into tokens.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/heartbeat.h"
#include "engine/model/forward.h"
#include "engine/model/state/state_pool.h"
#include "engine/scheduler/prompt_pace.h"
#include "engine/scheduler/request_queue.h"
#include "engine/scheduler/session.h"

namespace edgemoe {

struct StepLimits {
  std::uint32_t sessions_max = 1;          // that run at once
  std::uint32_t prefill_chunk_tokens = 1;  // most prompt rows of a step; see PromptPace
  std::uint32_t logit_rows_max = 1;        // at least sessions_max
  std::uint32_t context_tokens = 1;        // longest sequence
  std::uint64_t stall_timeout_ns = 0;      // after which a stream that nobody reads is ended

  // What Forward must be made for.
  std::uint32_t rows_max() const { return sessions_max - 1 + prefill_chunk_tokens; }
};

// Written by the engine's thread, a request's part before its sink hears the end; read by any.
struct StepCounters {
  std::atomic<std::uint64_t> steps{0};
  std::atomic<std::uint64_t> run_ns{0};  // inside Forward::Run
  // Of these, steps that did nothing but decode one session's next token.
  std::atomic<std::uint64_t> alone_steps{0};
  std::atomic<std::uint64_t> alone_run_ns{0};
  std::atomic<std::uint64_t> alone_expert_uses{0};
  std::atomic<std::uint64_t> alone_expert_hits{0};
  std::atomic<std::uint64_t> prompt_tokens{0};
  std::atomic<std::uint64_t> completion_tokens{0};
  std::atomic<std::uint64_t> requests_finished{0};
  std::atomic<std::uint64_t> requests_failed{0};
  std::atomic<std::uint32_t> sessions_running{0};
  std::atomic<std::uint64_t> requests_preempted{0};
  std::atomic<std::uint64_t> state_blocks_used{0};
};

// What the engine's thread does beside steps.
class IdleWork {
 public:
  virtual ~IdleWork() = default;
  // No request waits or runs, since `idle_since_ns` on the loop's clock. Called when that begins
  // and again whenever something wakes the thread; gives when it is to be called next, none: when
  // something happens. Short: a request that comes waits for it.
  virtual std::optional<std::uint64_t> OnIdle(std::uint64_t idle_since_ns) = 0;
  // Requests have come after OnIdle was called; none of them has run yet.
  virtual void OnBusy() = 0;
};

// One step: admit what was submitted, end what is cancelled, late or stalled, let waiting requests
// join in order, then run as one batch the next token of every decoding session and at most one
// chunk of one session's prompt (sessions in prompt take turns), and tell the sinks. A session
// whose reader takes nothing is left out until it does. Where memory for sequences runs short, the
// session that came last gives its own back and waits again; the one that came first always runs.
//
// Threads: confined to the engine's thread, but for `counters`. What it refers to outlives it.
class StepLoop {
 public:
  // `on_run` is called after each Forward::Run, before any event of that step.
  StepLoop(const StepLimits& limits, Forward& forward, StatePool& state, const Clock& clock,
           RequestQueue& queue, std::function<void()> on_run = {});
  // REQUIRES: no session is left.
  ~StepLoop();

  // Before Run. `work` outlives the loop.
  void SetIdleWork(IdleWork* work) { idle_work_ = work; }
  // Before Run. Beats with each turn of the loop, and rests where the loop waits to be signalled.
  // `heartbeat` outlives the loop.
  void SetHeartbeat(Heartbeat* heartbeat) { heartbeat_ = heartbeat; }
  // Before Run. `look` is called before each step and each wait; gives when it is to be called next
  // at the latest, none: when something happens.
  void SetBetweenSteps(std::function<std::optional<std::uint64_t>()> look) {
    between_steps_ = std::move(look);
  }

  // Steps, and runs the queue's tasks between them, until the queue was stopped and every request
  // has ended.
  void Run();

  // False when there was nothing to run: wait for the queue's signal or until NextDeadlineNs.
  bool Step();
  // When the next session ends by itself though nothing happens.
  std::optional<std::uint64_t> NextDeadlineNs() const;

  const StepCounters& counters() const { return counters_; }

 private:
  struct RowSpan {
    std::size_t session_index;
    std::size_t begin;
    std::size_t count;
  };

  // Tells the idle work what it has to know; gives when it wants to be called again.
  std::optional<std::uint64_t> WorkIdle();
  // Until the queue signals, or `deadline_ns`.
  void Wait(std::optional<std::uint64_t> deadline_ns);
  void Admit();
  void EndDueSessions();
  // Notes whether the session's reader takes what comes.
  static void WatchReader(Session& session, std::uint64_t now_ns);
  // Why the session ends before it runs again, if it does.
  std::optional<SessionEnd> DueEnd(Session& session, std::uint64_t now_ns) const;
  void JoinWaiting();
  void PlanBatch();
  // Makes room for the session's next rows, at the cost of those that came after it, or else its
  // own.
  void MakeRoom(std::size_t session_index, std::uint32_t row_count);
  void PreemptLast();
  void Append(std::size_t session_index, std::uint32_t row_count);
  // The session whose prompt is next in turn; none when no session that can take is in prompt.
  std::optional<std::size_t> NextInPrompt() const;
  void RunBatch();
  void DeliverResults();
  void End(std::unique_ptr<Session> session, SessionEnd end);
  void PublishOccupancy();

  const StepLimits limits_;
  Forward& forward_;
  StatePool& state_;
  const Clock& clock_;
  RequestQueue& queue_;
  const std::function<void()> on_run_;
  IdleWork* idle_work_ = nullptr;
  Heartbeat* heartbeat_ = nullptr;
  std::function<std::optional<std::uint64_t>()> between_steps_;
  std::optional<std::uint64_t> idle_since_ns_;  // while nothing waits or runs, and it was told

  std::deque<std::unique_ptr<Session>> waiting_;   // in order of arrival
  std::vector<std::unique_ptr<Session>> running_;  // at most sessions_max, in order of arrival
  std::vector<SessionSlot> free_slots_;            // of [0, sessions_max), not held by running_
  RequestId last_in_prompt_;                       // whose chunk ran last
  PromptPace pace_;
  std::vector<BatchRow> rows_;  // of this step; at most rows_max
  std::vector<RowResult> results_;
  std::vector<RowSpan> spans_;  // which rows are whose
  std::size_t prompt_rows_ = 0;
  StepCounters counters_;
};

}  // namespace edgemoe
