// SPDX-License-Identifier: Apache-2.0
#include "bench/generation.h"

#include <sys/resource.h>

#include <memory>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/mutex.h"

namespace edgemoe::bench {
namespace {

double Seconds(std::uint64_t ns) { return static_cast<double>(ns) * 1e-9; }

double CpuSeconds() {
  struct rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Snapshot {
  std::uint64_t now_ns = 0;
  double cpu_s = 0;
  EngineStats stats;
};

Snapshot Take(const Engine& engine, const Clock& clock) {
  return {clock.NowNs(), CpuSeconds(), engine.GetStats()};
}

PhaseCost Between(const Snapshot& begin, const Snapshot& end) {
  return {
      .wall_s = Seconds(end.now_ns - begin.now_ns),
      .cpu_s = end.cpu_s - begin.cpu_s,
      .wait_s = Seconds(end.stats.storage_wait_ns - begin.stats.storage_wait_ns),
      .expert_uses = end.stats.expert_uses - begin.stats.expert_uses,
      .expert_hits = end.stats.expert_hits - begin.stats.expert_hits,
      .bytes_read = end.stats.expert_bytes_read - begin.stats.expert_bytes_read,
      .metered_bytes = end.stats.storage_wait_bytes - begin.stats.storage_wait_bytes,
      .metered_s = Seconds(end.stats.storage_wait_meter_ns - begin.stats.storage_wait_meter_ns)};
}

// Shared by the engine's thread, which tells, and the bench's, which waits. Thread-safe.
class Watch {
 public:
  Watch(Engine& engine, const Clock& clock, double seconds_max)
      : engine_(engine), clock_(clock), seconds_max_(seconds_max) {}

  void OnStarted(const StartedEvent& event) {
    MutexLock lock(mutex_);
    id_ = event.request;
    prompt_tokens_ = event.prompt_tokens;
  }

  void OnTokens(const std::vector<TokenId>& tokens) {
    bool enough = false;
    {
      MutexLock lock(mutex_);
      const std::uint64_t now_ns = clock_.NowNs();
      for (const TokenId token : tokens) {
        tokens_.push_back(token);
        times_ns_.push_back(now_ns);
      }
      if (!resumed_) can_take_ = false;
      enough = resumed_ && tokens_.size() > kGapsMin && seconds_max_ > 0 &&
               Seconds(now_ns - resumed_ns_) > seconds_max_;
      changed_.NotifyAll();
    }
    // The request then ends as cancelled, which is no error here.
    if (enough) static_cast<void>(engine_.Abort(id()).ok());
  }

  void OnFinished(const FinishedEvent& event) {
    MutexLock lock(mutex_);
    finished_ = true;
    status_ = event.status;
    changed_.NotifyAll();
  }

  bool CanTake() const {
    MutexLock lock(mutex_);
    return can_take_;
  }

  // Waits until the first token has come, or the request has ended without one.
  void WaitForFirst() {
    MutexLock lock(mutex_);
    while (tokens_.empty() && !finished_) changed_.Wait(mutex_);
  }

  void Resume() {
    {
      MutexLock lock(mutex_);
      can_take_ = true;
      resumed_ = true;
      resumed_ns_ = clock_.NowNs();
    }
    engine_.Wake();
  }

  void WaitForEnd() {
    MutexLock lock(mutex_);
    while (!finished_) changed_.Wait(mutex_);
  }

  // To be called after WaitForEnd.
  Status Fill(std::uint64_t begin_ns, GenerationSample& sample) const {
    MutexLock lock(mutex_);
    if (tokens_.empty())
      return status_.ok() ? InternalError("the request ended without a token") : status_;
    if (!status_.ok() && status_.code() != StatusCode::kCancelled) return status_;
    sample.prompt_tokens = prompt_tokens_;
    sample.tokens = tokens_;
    sample.first_token_s = Seconds(times_ns_.front() - begin_ns);
    for (std::size_t i = 1; i < times_ns_.size(); ++i)
      sample.gaps_s.push_back(Seconds(times_ns_[i] - (i == 1 ? resumed_ns_ : times_ns_[i - 1])));
    return OkStatus();
  }

 private:
  RequestId id() const {
    MutexLock lock(mutex_);
    return id_;
  }

  Engine& engine_;
  const Clock& clock_;
  const double seconds_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  RequestId id_ GUARDED_BY(mutex_);
  std::uint32_t prompt_tokens_ GUARDED_BY(mutex_) = 0;
  bool can_take_ GUARDED_BY(mutex_) = true;
  bool resumed_ GUARDED_BY(mutex_) = false;
  std::uint64_t resumed_ns_ GUARDED_BY(mutex_) = 0;
  bool finished_ GUARDED_BY(mutex_) = false;
  Status status_ GUARDED_BY(mutex_);
  std::vector<TokenId> tokens_ GUARDED_BY(mutex_);
  std::vector<std::uint64_t> times_ns_ GUARDED_BY(mutex_);  // when each of tokens_ came
};

class Sink final : public EventSink {
 public:
  explicit Sink(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  void OnStarted(const StartedEvent& event) override { watch_->OnStarted(event); }
  void OnPromptProgress(const PromptProgressEvent&) override {}
  void OnChunk(ChunkEvent event) override {
    if (!event.tokens.empty()) watch_->OnTokens(event.tokens);
  }
  void OnEmbedding(EmbeddingEvent) override {}
  void OnFinished(FinishedEvent event) override { watch_->OnFinished(event); }
  bool CanTake() const override { return watch_->CanTake(); }

 private:
  std::shared_ptr<Watch> watch_;
};

}  // namespace

Result<GenerationSample> Generate(Engine& engine, const GenerationPlan& plan) {
  const SteadyClock clock;
  const auto watch = std::make_shared<Watch>(engine, clock, plan.seconds_max);
  GenerateRequest request;
  request.prompt = plan.prompt;
  request.sampling.temperature = 0;
  request.stop.max_tokens = plan.tokens;
  request.stop.ignore_end_of_generation = true;

  const Snapshot begin = Take(engine, clock);
  EDGEMOE_FAIL_IF_ERROR([&]() -> Status {
    const Result<RequestId> id = engine.Generate(std::move(request), std::make_unique<Sink>(watch));
    return id ? OkStatus() : id.error();
  }());
  watch->WaitForFirst();
  const Snapshot first = Take(engine, clock);
  watch->Resume();
  // The time that the snapshot itself takes belongs to neither phase.
  Snapshot resumed = first;
  resumed.now_ns = clock.NowNs();
  resumed.cpu_s = CpuSeconds();
  watch->WaitForEnd();
  const Snapshot end = Take(engine, clock);

  GenerationSample sample;
  EDGEMOE_FAIL_IF_ERROR(watch->Fill(begin.now_ns, sample));
  sample.prompt = Between(begin, first);
  sample.decode = Between(resumed, end);
  return sample;
}

}  // namespace edgemoe::bench
