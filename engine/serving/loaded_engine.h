// SPDX-License-Identifier: Apache-2.0
//
// The engine behind the facade: its parts in the order in which they need each other, so that they
// go in the reverse one.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/heartbeat.h"
#include "engine/base/mutex.h"
#include "engine/base/system/aligned_buffer.h"
#include "engine/cache/expert_cache.h"
#include "engine/cache/memory_budget.h"
#include "engine/cache/slot_slab.h"
#include "engine/describe.h"
#include "engine/engine.h"
#include "engine/io/block_reader.h"
#include "engine/io/metered_reader.h"
#include "engine/io/storage_file.h"
#include "engine/kernels/kernel_table.h"
#include "engine/load/expert_stack.h"
#include "engine/model/forward.h"
#include "engine/model/state/state_pool.h"
#include "engine/model/weights.h"
#include "engine/options.h"
#include "engine/parallel/compute_pool.h"
#include "engine/plan.h"
#include "engine/predict/path_predictor.h"
#include "engine/scheduler/request_queue.h"
#include "engine/scheduler/step_loop.h"
#include "engine/serving/chat/prompt.h"
#include "engine/serving/describe_header.h"
#include "engine/serving/idle_work.h"
#include "engine/serving/live_memory.h"
#include "engine/serving/memory_plan.h"
#include "engine/serving/modes.h"
#include "engine/serving/read_shape.h"
#include "engine/serving/request_checker.h"
#include "engine/serving/speed_recorder.h"
#include "engine/serving/storage_guard.h"
#include "engine/stream/pipeline/expert_pipeline.h"
#include "engine/tokenizer/tokenizer.h"

namespace edgemoe {

// The vocabulary as the scheduler sees it.
class TokenizerText final : public TokenText {
 public:
  explicit TokenizerText(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  std::uint32_t size() const override { return static_cast<std::uint32_t>(tokenizer_.size()); }
  std::string_view Bytes(TokenId token) const override {
    return tokenizer_.IsControl(token) ? std::string_view() : tokenizer_.TokenBytes(token);
  }
  std::string_view Name(TokenId token) const override { return tokenizer_.TokenBytes(token); }
  bool EndsGeneration(TokenId token) const override { return tokenizer_.IsEndOfGeneration(token); }

 private:
  const Tokenizer& tokenizer_;
};

// Threads: as Engine. After Start the members under "the engine's thread" are its alone.
class LoadedEngine final : public Engine {
 public:
  static Result<std::unique_ptr<LoadedEngine>> Open(EngineOptions options,
                                                    const OpenProgress& progress);
  static Result<EngineOptions> Check(EngineOptions options);
  ~LoadedEngine() override;

  const ModelDescription& model() const override { return description_; }
  Status availability() const override { return guard_ ? guard_->status() : OkStatus(); }
  Pulse pulse() const override { return heartbeat_.Look(); }
  Result<RequestId> Generate(GenerateRequest request, std::unique_ptr<EventSink> sink) override;
  Result<RequestId> Score(ScoreRequest request, std::unique_ptr<EventSink> sink) override;
  Result<RequestId> Embed(EmbedRequest request, std::unique_ptr<EventSink> sink) override;
  Status Abort(RequestId request) override { return queue_.Cancel(request); }
  void Wake() override { queue_.Wake(); }
  Result<std::unique_ptr<TextTokens>> Tokenize(std::string text,
                                               const TokenizeOptions& options) const override;
  Result<std::string> Detokenize(std::span<const TokenId> tokens,
                                 const DetokenizeOptions& options) const override;
  Result<std::string> ApplyTemplate(std::span<const ChatMessage> messages,
                                    const ChatTemplateOptions& options) const override;
  EngineStats GetStats() const override;
  Result<MemoryPlan> Resize(std::uint64_t budget_bytes) override;
  Result<std::unique_ptr<RoutingRecording>> RecordRouting(RecordedStepObserver observer) override;
  bool Drain(std::uint32_t timeout_ms) override;

 private:
  // What only the engine's thread may read, copied out after each step.
  struct StreamStats {
    ExpertIoAccount account;
    CacheCounters cache;
    std::uint64_t read_errors = 0;
    WaitMeter waits;
    ReadAheadStats read_ahead;
  };

  explicit LoadedEngine(EngineOptions options);

  // Open, part by part, in order.
  Status Load(const OpenProgress& progress);
  Status OpenFiles(SlotClasses& slot_classes);
  Status OpenVocabulary(const GgufFile& metadata);
  Status OpenChat(const GgufFile& metadata);
  Status LoadDense(const OpenProgress& progress);
  Status OpenStream(const SlotClasses& classes);
  Status OpenReaders();
  void OpenGuard();
  Status OpenBaseline();  // the experts' source of a mode without a cache
  ExpertPipelineOptions MakePipelineOptions();
  Status OpenMemory();
  Status OpenFixedMemory();  // of the modes that cannot be resized
  Status OpenForward();
  void Start();

  // Puts `bytes` of the budget aside for the engine's life.
  Status Reserve(std::string_view name, std::uint64_t bytes);
  Result<std::optional<AnswerSplit>> SplitOf(const GenerateRequest& request) const;
  Result<RequestId> Submit(Result<CheckedRequest> plan, std::unique_ptr<EventSink> sink);
  void PublishStreamStats();
  void ObserveSpeed();
  std::string IoNote() const;
  void Log(LogLevel level, std::string_view line) const;

  const EngineOptions options_;
  const SteadyClock steady_clock_;
  const Clock& clock_;  // the one of the options, or that
  Heartbeat heartbeat_;
  const std::uint64_t opened_ns_;
  EngineMode mode_ = EngineMode::kEdgeMoe;
  ModelDescription description_;
  MemoryPlan plan_;  // made at Open; `memory_` has the one in force
  RunLimits limits_;
  std::optional<MemoryBudget> budget_;
  std::vector<MemoryReservation> reservations_;

  std::unique_ptr<Tokenizer> tokenizer_;
  std::optional<TokenizerText> text_;
  std::optional<RequestChecker> checker_;
  std::optional<ChatPrompt> chat_;

  // The engine's thread.
  const KernelTable* kernels_ = nullptr;
  std::vector<ModelPart> parts_;
  std::vector<StorageFile> files_;  // of `parts_`
  WeightsLayout layout_;
  Weights weights_;
  std::optional<ComputePool> pool_;
  std::optional<StatePool> state_;
  AlignedBuffer layer_buffers_;
  std::unique_ptr<BlockReader> reader_;
  const MeteredReader* meter_ = nullptr;  // reader_ itself
  ReadShape read_shape_;
  std::optional<PathPredictor> predictor_;
  std::unique_ptr<ExpertStack> stack_;  // in the modes that have a cache, as `guard_`
  std::optional<StorageGuard> guard_;
  std::unique_ptr<ExpertSource> baseline_;  // in the other modes
  ExpertSource* experts_ = nullptr;         // the one that there is
  std::optional<LiveMemory> memory_;        // in mode "edgemoe" only, as `idle_`
  std::optional<SpeedRecorder> speed_;      // as `memory_`
  std::optional<EngineIdle> idle_;
  std::unique_ptr<Forward> forward_;

  StorageProfile storage_profile_;  // as it is in force
  std::atomic<bool> recording_in_use_ = false;

  std::string io_backend_;
  std::string io_note_;
  mutable Mutex mutex_;
  StreamStats stream_stats_ GUARDED_BY(mutex_);

  RequestQueue queue_;
  std::optional<StepLoop> loop_;
  std::thread thread_;
};

}  // namespace edgemoe
