// SPDX-License-Identifier: Apache-2.0
#include "engine/scheduler/step_loop.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace edgemoe {
namespace {

template <class Counter>
void Add(Counter& counter, std::uint64_t amount) {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

}  // namespace

StepLoop::StepLoop(const StepLimits& limits, Forward& forward, StatePool& state, const Clock& clock,
                   RequestQueue& queue, std::function<void()> on_run)
    : limits_(limits),
      forward_(forward),
      state_(state),
      clock_(clock),
      queue_(queue),
      on_run_(std::move(on_run)),
      pace_(limits.prefill_chunk_tokens) {
  EDGEMOE_CHECK(limits.sessions_max > 0 && limits.prefill_chunk_tokens > 0 &&
                    limits.context_tokens > 0 && limits.logit_rows_max >= limits.sessions_max,
                "the limits of the step loop are out of range");
  running_.reserve(limits.sessions_max);
  for (std::uint32_t slot = limits.sessions_max; slot > 0; --slot)
    free_slots_.push_back(SessionSlot{slot - 1});
  rows_.reserve(limits.rows_max());
  results_.resize(limits.rows_max());
  spans_.reserve(limits.sessions_max);
}

StepLoop::~StepLoop() {
  EDGEMOE_CHECK(waiting_.empty() && running_.empty(), "the step loop ends before its sessions");
}

void StepLoop::Run() {
  for (;;) {
    if (heartbeat_ != nullptr) heartbeat_->Beat();
    queue_.RunTask();
    const std::optional<std::uint64_t> look = between_steps_ ? between_steps_() : std::nullopt;
    if (Step()) continue;
    // Read before the last look at the queue: after a stop nothing more is submitted.
    if (queue_.stopped() && queue_.live_count() == 0) {
      queue_.RunTask();
      return;
    }
    std::optional<std::uint64_t> deadline = NextDeadlineNs();
    if (!deadline) deadline = WorkIdle();  // without requests there is no other deadline
    if (look && (!deadline || *look < *deadline)) deadline = look;
    Wait(deadline);
  }
}

void StepLoop::Wait(std::optional<std::uint64_t> deadline_ns) {
  std::optional<std::chrono::nanoseconds> timeout;
  if (deadline_ns) {
    const std::uint64_t now = clock_.NowNs();
    timeout = std::chrono::nanoseconds(*deadline_ns > now ? *deadline_ns - now : 0);
  }
  if (heartbeat_ != nullptr) heartbeat_->Rest();
  queue_.WaitForSignal(timeout);
}

std::optional<std::uint64_t> StepLoop::WorkIdle() {
  if (idle_work_ == nullptr || !waiting_.empty() || !running_.empty()) return std::nullopt;
  if (!idle_since_ns_) idle_since_ns_ = clock_.NowNs();
  return idle_work_->OnIdle(*idle_since_ns_);
}

bool StepLoop::Step() {
  Admit();
  if (idle_since_ns_ && !waiting_.empty()) {
    idle_since_ns_.reset();
    idle_work_->OnBusy();
  }
  EndDueSessions();
  JoinWaiting();
  PlanBatch();
  if (rows_.empty()) return false;
  RunBatch();
  DeliverResults();
  return true;
}

std::optional<std::uint64_t> StepLoop::NextDeadlineNs() const {
  std::optional<std::uint64_t> next;
  const auto consider = [&next](std::optional<std::uint64_t> deadline) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  };
  for (const auto& session : waiting_) consider(session->deadline_ns());
  for (const auto& session : running_) {
    consider(session->deadline_ns());
    if (session->stalled_since_ns) consider(*session->stalled_since_ns + limits_.stall_timeout_ns);
  }
  return next;
}

void StepLoop::Admit() {
  for (std::unique_ptr<Session>& session : queue_.TakeSubmitted()) {
    waiting_.push_back(std::move(session));
  }
}

void StepLoop::EndDueSessions() {
  const std::uint64_t now_ns = clock_.NowNs();
  const auto end_due = [&](auto& sessions) {
    // Ends are told after the list is whole again: a sink may look at the engine's statistics.
    std::vector<std::pair<std::unique_ptr<Session>, SessionEnd>> due;
    for (std::unique_ptr<Session>& session : sessions) {
      if (std::optional<SessionEnd> end = DueEnd(*session, now_ns))
        due.emplace_back(std::move(session), *std::move(end));
    }
    if (due.empty()) return;
    std::erase(sessions, nullptr);
    for (auto& [session, end] : due) End(std::move(session), std::move(end));
  };
  for (const std::unique_ptr<Session>& session : running_) WatchReader(*session, now_ns);
  end_due(waiting_);
  end_due(running_);
}

void StepLoop::WatchReader(Session& session, std::uint64_t now_ns) {
  if (session.sink().CanTake()) {
    session.stalled_since_ns.reset();
  } else if (!session.stalled_since_ns) {
    session.stalled_since_ns = now_ns;
  }
}

std::optional<SessionEnd> StepLoop::DueEnd(Session& session, std::uint64_t now_ns) const {
  if (session.cancel_flag().load(std::memory_order_relaxed)) {
    return SessionEnd{.reason = FinishReason::kCancelled,
                      .status = CancelledError("the request was cancelled")};
  }
  if (session.deadline_ns() && now_ns >= *session.deadline_ns())
    return SessionEnd{.reason = FinishReason::kTimeLimit};
  if (session.stalled_since_ns && now_ns - *session.stalled_since_ns >= limits_.stall_timeout_ns) {
    return SessionEnd{
        .reason = FinishReason::kError,
        .status = ResourceExhaustedError("the reader took nothing for " +
                                         std::to_string(limits_.stall_timeout_ns / 1'000'000) +
                                         " ms; read the stream while it is written")
                      .WithReason(Reason::kSlowReader)};
  }
  return std::nullopt;
}

void StepLoop::JoinWaiting() {
  while (!waiting_.empty() && running_.size() < limits_.sessions_max) {
    const std::uint64_t now_ns = clock_.NowNs();
    const Status joined = waiting_.front()->Join(state_, limits_.context_tokens, now_ns);
    if (!joined.ok()) {
      EDGEMOE_CHECK(!running_.empty(), "the pool is too small for one session");
      break;
    }
    waiting_.front()->slot = free_slots_.back();
    free_slots_.pop_back();
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    WatchReader(*running_.back(), now_ns);
  }
  const auto tell_start = [](const std::unique_ptr<Session>& session) {
    if (!session->started()) session->Start();
  };
  std::ranges::for_each(running_, tell_start);
  std::ranges::for_each(waiting_, tell_start);
  PublishOccupancy();
}

void StepLoop::PlanBatch() {
  rows_.clear();
  spans_.clear();
  const auto decodes = [](const std::unique_ptr<Session>& session) {
    return !session->in_prompt() && !session->stalled_since_ns;
  };
  const auto decoding = static_cast<std::uint32_t>(std::ranges::count_if(running_, decodes));
  const std::optional<std::size_t> next = NextInPrompt();
  const std::uint32_t chunk = next ? running_[*next]->NextRows({pace_.ChunkTokens(decoding > 0),
                                                                limits_.logit_rows_max - decoding})
                                   : 0;
  if (next) last_in_prompt_ = running_[*next]->id();
  // In order of arrival, before any row is planned: who gives way stands behind.
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (decodes(running_[i]))
      MakeRoom(i, 1);
    else if (i == next)
      MakeRoom(i, chunk);
  }
  for (std::size_t i = 0; i < running_.size(); ++i)
    if (decodes(running_[i])) Append(i, 1);
  const std::size_t decode_rows = rows_.size();
  if (next && *next < running_.size()) Append(*next, chunk);
  prompt_rows_ = rows_.size() - decode_rows;
  PublishOccupancy();
}

void StepLoop::MakeRoom(std::size_t session_index, std::uint32_t row_count) {
  while (session_index < running_.size() && !running_[session_index]->Prepare(row_count).ok()) {
    EDGEMOE_CHECK(running_.size() > 1, "the pool is too small for one session");
    PreemptLast();
  }
}

void StepLoop::PreemptLast() {
  std::unique_ptr<Session> last = std::move(running_.back());
  running_.pop_back();
  free_slots_.push_back(*last->slot);
  last->Preempt();
  waiting_.push_front(std::move(last));
  Add(counters_.requests_preempted, 1);
}

void StepLoop::Append(std::size_t session_index, std::uint32_t row_count) {
  const std::size_t begin = rows_.size();
  running_[session_index]->AppendRows(row_count, rows_);
  spans_.push_back({session_index, begin, rows_.size() - begin});
}

std::optional<std::size_t> StepLoop::NextInPrompt() const {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (!running_[i]->in_prompt() || running_[i]->stalled_since_ns) continue;
    if (running_[i]->id() > last_in_prompt_) return i;  // ids rise with the index
    if (!first) first = i;
  }
  return first;
}

void StepLoop::RunBatch() {
  const std::span<RowResult> results(results_.data(), rows_.size());
  std::fill(results.begin(), results.end(), RowResult{});
  const std::uint64_t begin_ns = clock_.NowNs();
  forward_.Run(rows_, results);
  const std::uint64_t run_ns = clock_.NowNs() - begin_ns;
  Add(counters_.run_ns, run_ns);
  Add(counters_.steps, 1);
  if (rows_.size() == 1 && prompt_rows_ == 0) {
    Add(counters_.alone_steps, 1);
    Add(counters_.alone_run_ns, run_ns);
    Add(counters_.alone_expert_uses, results[0].io.experts_used);
    Add(counters_.alone_expert_hits, results[0].io.hits);
  }
  std::uint64_t wait_ns = 0;
  for (const RowResult& result : results) wait_ns += result.io.wait_ns;
  if (prompt_rows_ > 0) pace_.OnStep(prompt_rows_, run_ns, std::min(wait_ns, run_ns));
  if (on_run_) on_run_();
}

void StepLoop::DeliverResults() {
  const std::uint64_t now_ns = clock_.NowNs();
  std::vector<std::pair<std::unique_ptr<Session>, SessionEnd>> ended;
  for (const RowSpan& span : spans_) {
    std::unique_ptr<Session>& session = running_[span.session_index];
    if (session->in_prompt() && !session->recomputes()) Add(counters_.prompt_tokens, span.count);
    const std::uint32_t sampled_before = session->completion_tokens();
    std::optional<SessionEnd> end = session->TakeResults(
        std::span<const RowResult>(results_).subspan(span.begin, span.count), now_ns);
    Add(counters_.completion_tokens, session->completion_tokens() - sampled_before);
    if (end) ended.emplace_back(std::move(session), *std::move(end));
  }
  if (ended.empty()) return;
  std::erase(running_, nullptr);
  for (auto& [session, end] : ended) End(std::move(session), std::move(end));
}

void StepLoop::End(std::unique_ptr<Session> session, SessionEnd end) {
  Add(counters_.requests_finished, 1);
  if (end.reason == FinishReason::kError) Add(counters_.requests_failed, 1);
  session->Leave();
  if (session->slot) free_slots_.push_back(*session->slot);
  PublishOccupancy();
  queue_.Retire(session->id());
  session->Finish(std::move(end), clock_.NowNs());
  session.reset();
  queue_.NoteDelivered();
}

void StepLoop::PublishOccupancy() {
  counters_.sessions_running.store(static_cast<std::uint32_t>(running_.size()),
                                   std::memory_order_relaxed);
  counters_.state_blocks_used.store(state_.block_count() - state_.free_block_count(),
                                    std::memory_order_relaxed);
}

}  // namespace edgemoe
