// SPDX-License-Identifier: Apache-2.0
//
// The scheduler's surroundings without a model: a forward pass that plays a script, a vocabulary of
// a few strings, a clock that stands still, a sink that remembers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/model/forward.h"
#include "engine/scheduler/request.h"
#include "engine/scheduler/request_queue.h"
#include "engine/scheduler/step_loop.h"
#include "engine/scheduler/token_text.h"

namespace edgemoe::testing {

class ManualClock final : public Clock {
 public:
  std::uint64_t NowNs() const override { return now_ns_.load(); }
  void AdvanceMs(std::uint64_t ms) { now_ns_ += ms * 1'000'000; }

 private:
  std::atomic<std::uint64_t> now_ns_{1'000'000'000};
};

class TableText final : public TokenText {
 public:
  explicit TableText(std::vector<std::string> pieces, std::int32_t end = -1)
      : pieces_(std::move(pieces)), end_(end), names_(pieces_.size()) {}
  void NameControl(std::int32_t token, std::string name) {
    names_[static_cast<std::size_t>(token)] = std::move(name);
  }
  std::uint32_t size() const override { return static_cast<std::uint32_t>(pieces_.size()); }
  std::string_view Bytes(TokenId token) const override {
    return pieces_[static_cast<std::size_t>(token.value)];
  }
  std::string_view Name(TokenId token) const override {
    const std::string_view bytes = Bytes(token);
    return bytes.empty() ? names_[static_cast<std::size_t>(token.value)] : bytes;
  }
  bool EndsGeneration(TokenId token) const override { return token.value == end_; }

 private:
  std::vector<std::string> pieces_;
  std::int32_t end_;
  std::vector<std::string> names_;
};

// A row as the fake saw it.
struct SeenRow {
  const SequenceState* sequence;
  std::uint32_t position;
  std::int32_t token;
  bool wants_logits;
  bool wants_hidden;
};

// A hidden state is token, position. After `token` the most likely next one is next(token,
// position); its logit is 10, others are 0.
class FakeForward final : public Forward {
 public:
  explicit FakeForward(std::uint32_t vocabulary) : vocabulary_(vocabulary) {}

  void Run(std::span<const BatchRow> rows, std::span<RowResult> results) override {
    steps.emplace_back();
    logits_.assign(rows.size(), {});
    hidden_.assign(rows.size(), {});
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const BatchRow& row = rows[i];
      steps.back().push_back(
          {row.sequence, row.position, row.token.value, row.wants_logits, row.wants_hidden});
      if (during_row) during_row(row);
      const bool cancelled = row.cancelled != nullptr && row.cancelled->load();
      results[i].status = cancelled ? CancelledError("cancelled") : fail ? fail(row) : OkStatus();
      results[i].io = {.experts_used = 4, .hits = 3, .bytes_read = 100, .wait_ns = 7};
      if (row.wants_hidden && results[i].status.ok()) {
        hidden_[i] = {static_cast<float>(row.token.value), static_cast<float>(row.position)};
        results[i].hidden = hidden_[i];
      }
      if (!row.wants_logits || !results[i].status.ok()) continue;
      logits_[i].assign(vocabulary_, nan_logits ? std::numeric_limits<float>::quiet_NaN() : 0.0F);
      if (!nan_logits)
        logits_[i][static_cast<std::size_t>(next(row.token.value, row.position))] = 10.0F;
      results[i].logits = logits_[i].data();
    }
  }

  std::function<std::int32_t(std::int32_t token, std::uint32_t position)> next =
      [this](std::int32_t token, std::uint32_t) {
        return (token + 1) % static_cast<std::int32_t>(vocabulary_);
      };
  std::function<Status(const BatchRow& row)> fail;
  std::function<void(const BatchRow& row)> during_row;
  bool nan_logits = false;
  std::vector<std::vector<SeenRow>> steps;

 private:
  std::uint32_t vocabulary_;
  std::vector<std::vector<float>> logits_;
  std::vector<std::array<float, 2>> hidden_;
};

// What a sink heard; outlives it.
struct Heard {
  std::vector<StartedEvent> started;
  std::vector<PromptProgressEvent> progress;
  std::vector<ChunkEvent> chunks;
  std::vector<EmbeddingEvent> embeddings;
  std::vector<FinishedEvent> finished;
  bool can_take = true;
  bool destroyed = false;

  std::string text() const {
    std::string all;
    for (const ChunkEvent& chunk : chunks) all += chunk.text;
    for (const FinishedEvent& event : finished) all += event.text;
    return all;
  }
  std::vector<std::int32_t> tokens() const {
    std::vector<std::int32_t> all;
    for (const ChunkEvent& chunk : chunks)
      for (const TokenId token : chunk.tokens) all.push_back(token.value);
    return all;
  }
  bool done() const { return !finished.empty(); }
  FinishReason reason() const { return finished.at(0).reason; }
};

class RecordingSink final : public EventSink {
 public:
  explicit RecordingSink(std::shared_ptr<Heard> heard) : heard_(std::move(heard)) {}
  ~RecordingSink() override { heard_->destroyed = true; }
  void OnStarted(const StartedEvent& event) override { heard_->started.push_back(event); }
  void OnPromptProgress(const PromptProgressEvent& event) override {
    heard_->progress.push_back(event);
  }
  void OnChunk(ChunkEvent event) override { heard_->chunks.push_back(std::move(event)); }
  void OnEmbedding(EmbeddingEvent event) override {
    heard_->embeddings.push_back(std::move(event));
  }
  void OnFinished(FinishedEvent event) override { heard_->finished.push_back(std::move(event)); }
  bool CanTake() const override { return heard_->can_take; }

 private:
  std::shared_ptr<Heard> heard_;
};

inline std::vector<TokenId> Tokens(std::initializer_list<std::int32_t> values) {
  std::vector<TokenId> tokens;
  for (const std::int32_t value : values) tokens.push_back(TokenId{value});
  return tokens;
}

inline CheckedRequest GreedyPlan(std::vector<TokenId> prompt,
                                 std::optional<std::uint32_t> max_tokens) {
  CheckedRequest plan;
  plan.prompt = std::move(prompt);
  plan.sampling.temperature = 0;
  plan.stop.max_tokens = max_tokens;
  return plan;
}

// A step loop over the fakes, driven by hand.
struct Bench {
  static constexpr std::uint32_t kVocabulary = 64;

  static std::vector<std::string> Letters() {
    std::vector<std::string> pieces;
    for (std::uint32_t i = 0; i < kVocabulary; ++i)
      pieces.push_back(std::string(1, static_cast<char>('0' + i)));
    return pieces;
  }

  // One layer that looks back at everything.
  static StateShape TinyShape() {
    StateShape shape;
    shape.layers = {LayerState{.key_size = 2, .value_size = 2, .values = 2 * kStateBlockTokens}};
    shape.groups = {{.window = 0, .block_elements = 4 * kStateBlockTokens}};
    return shape;
  }

  explicit Bench(StepLimits limits_given = {.sessions_max = 2,
                                            .prefill_chunk_tokens = 4,
                                            .logit_rows_max = 4,
                                            .context_tokens = 64,
                                            .stall_timeout_ns = 1'000'000'000},
                 TableText text_given = TableText(Letters()), std::uint32_t waiting_max = 8,
                 std::uint64_t state_tokens = 0)
      : limits(limits_given),
        text(std::move(text_given)),
        forward(text.size()),
        state(*StatePool::Create(
            TinyShape(), {.token_capacity = state_tokens == 0 ? std::uint64_t{limits.sessions_max} *
                                                                    limits.context_tokens
                                                              : state_tokens,
                          .sequences_max = limits.sessions_max,
                          .context_tokens = limits.context_tokens,
                          .rows_max = limits.prefill_chunk_tokens})),
        queue(limits.sessions_max, waiting_max),
        loop(limits, forward, state, clock, queue) {}

  ~Bench() {
    queue.Stop();
    loop.Run();
  }

  std::shared_ptr<Heard> Submit(CheckedRequest plan, RequestId* id = nullptr) {
    auto heard = std::make_shared<Heard>();
    auto taken = queue.Submit(std::make_unique<Session>(
        std::move(plan), std::make_unique<RecordingSink>(heard), text, clock.NowNs()));
    if (taken && id != nullptr) *id = *taken;
    return heard;
  }
  // Steps until there is nothing to run; a script that never ends fails the caller's expectations.
  std::size_t RunAll(std::size_t steps_max = 1000) {
    std::size_t steps = 0;
    while (steps < steps_max && loop.Step()) ++steps;
    return steps;
  }

  StepLimits limits;
  TableText text;
  FakeForward forward;
  StatePool state;
  ManualClock clock;
  RequestQueue queue;
  StepLoop loop;
};

}  // namespace edgemoe::testing
