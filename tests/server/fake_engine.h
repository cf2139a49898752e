// SPDX-License-Identifier: Apache-2.0
//
// An engine without a model, for tests of the server: takes requests into a bounded queue and
// writes made-up tokens on a thread of its own, as engine.h says an engine does. Prompts steer it:
//   "hang"    nothing after the start, until the request ends
//   "wedge"   as "hang", and the engine's thread seems to be stuck
//   "fail"    DATA_LOSS after two tokens
//   "large"   each chunk carries 16 KiB of text
//   "tools"   a thought, then a call of "look", and what is none
//   "short"   one token, and held-back text in Finished
// Each other prompt is answered until max_tokens, or for ever. Engine::Open gives one, but for the
// paths "too-large.gguf" (refused) and "stuck.gguf" (a quarter is loaded, then nothing happens).
// A recording of routing has a line for each token.
//
// WritePack writes nothing: sources named "...hang..." go on until they are cancelled, with a
// thread of their own, "...full..." ends with RESOURCE_EXHAUSTED. Its report says which
// memory_bytes (calibration_tokens) and threads (probe_count) it had. PlanPack wants 2,000 to 4,000
// bytes, "...huge..." 20,000 to 40,000; no bits of 99.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/mutex.h"
#include "engine/describe.h"
#include "engine/engine.h"
#include "engine/plan.h"

namespace edgemoe {

class FakeEngine final : public Engine {
 public:
  struct Options {
    std::uint32_t sessions_max = 4;
    std::uint32_t queue_max = 64;
    std::uint32_t stall_timeout_ms = 60'000;
    std::uint64_t budget_bytes = 10'000;
    std::uint64_t usable_bytes = 0;
    const Clock* clock = nullptr;  // of stall_timeout_ms, outlives the engine; null: none stalls
    std::string model_path = "/nowhere/fake.gguf";
  };
  explicit FakeEngine(Options options);
  ~FakeEngine() override;

  const ModelDescription& model() const override { return model_; }
  Status availability() const override;
  // It rests, but for a request that wedges.
  Pulse pulse() const override;
  Result<RequestId> Generate(GenerateRequest request, std::unique_ptr<EventSink> sink) override;
  Result<RequestId> Score(ScoreRequest request, std::unique_ptr<EventSink> sink) override;
  // Of each text its length, once more, and 1.
  Result<RequestId> Embed(EmbedRequest request, std::unique_ptr<EventSink> sink) override;
  Status Abort(RequestId request) override;
  void Wake() override;
  Result<std::unique_ptr<TextTokens>> Tokenize(std::string text,
                                               const TokenizeOptions& options) const override;
  Result<std::string> Detokenize(std::span<const TokenId> tokens,
                                 const DetokenizeOptions& options) const override;
  Result<std::string> ApplyTemplate(std::span<const ChatMessage> messages,
                                    const ChatTemplateOptions& options) const override;
  EngineStats GetStats() const override;
  // As PlanMemory says: from 1000 bytes on.
  Result<MemoryPlan> Resize(std::uint64_t budget_bytes) override;
  Result<std::unique_ptr<RoutingRecording>> RecordRouting(RecordedStepObserver observer) override;
  bool Drain(std::uint32_t timeout_ms) override;

  void SetAvailability(Status status);
  // Requests that wait or run.
  std::size_t active() const;
  // Waits until so many wait or run; false after kPatience.
  bool WaitActive(std::size_t count) const;
  std::uint64_t chunk_count() const;
  // Waits until nothing waits or runs; false after kPatience.
  bool WaitIdle() const;
  // Waits until a request is paused by its sink; false after kPatience.
  bool WaitPaused() const;

  static constexpr const char* kText = " word";

 private:
  struct Session;
  class Recording;

  Result<RequestId> Submit(std::unique_ptr<Session> session);
  void Run();
  // One step of every session; true when there may be more to do at once.
  bool Step();
  bool StepOne(Session& session);
  void Finish(Session& session, FinishReason reason, Status status);
  bool WaitFor(const std::function<bool()>& condition) const;

  const Options options_;
  ModelDescription model_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::deque<std::unique_ptr<Session>> waiting_ GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Session>> running_;  // the vector on thread_ only
  std::vector<RequestId> live_ GUARDED_BY(mutex_);
  std::vector<RequestId> aborted_ GUARDED_BY(mutex_);
  std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  std::uint64_t wakes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t chunks_ GUARDED_BY(mutex_) = 0;
  std::uint64_t budget_bytes_ GUARDED_BY(mutex_);
  std::uint64_t refused_ GUARDED_BY(mutex_) = 0;
  bool paused_ GUARDED_BY(mutex_) = false;
  bool wedged_ GUARDED_BY(mutex_) = false;
  Status availability_ GUARDED_BY(mutex_);
  Recording* recording_ GUARDED_BY(mutex_) = nullptr;
  bool draining_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace edgemoe
