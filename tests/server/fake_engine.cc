// SPDX-License-Identifier: Apache-2.0
#include "tests/server/fake_engine.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "engine/base/accepted.h"
#include "engine/describe.h"
#include "engine/plan.h"
#include "engine/probe.h"
#include "engine/speed.h"
#include "tests/support/child_process.h"

namespace edgemoe {
namespace {

constexpr std::uint64_t kBudgetFloorBytes = 1000;

using std::chrono::steady_clock;
constexpr std::size_t kLargeChunkBytes = 16 * 1024;

}  // namespace

struct FakeEngine::Session {
  RequestId id;
  std::string prompt;
  GenerateRequest request;
  std::optional<EmbedRequest> embed;
  std::unique_ptr<EventSink> sink;
  bool started = false;
  bool runs = false;
  bool finished = false;
  std::uint32_t written = 0;
  std::optional<std::uint64_t> paused_since_ns;
};

FakeEngine::FakeEngine(Options options) : options_(options), budget_bytes_(options.budget_bytes) {
  model_.name = "fake";
  model_.path = options_.model_path;
  model_.architecture = "qwen3moe";
  model_.vocabulary_size = 1000;
  model_.context_tokens = 4096;
  thread_ = std::thread([this] { Run(); });
}

FakeEngine::~FakeEngine() {
  Drain(0);
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

Result<RequestId> FakeEngine::Generate(GenerateRequest request, std::unique_ptr<EventSink> sink) {
  auto session = std::make_unique<Session>();
  if (const auto* text = std::get_if<std::string>(&request.prompt)) session->prompt = *text;
  if (session->prompt.empty() && std::holds_alternative<std::string>(request.prompt))
    return Failure(InvalidField("prompt", "0 tokens", AcceptedRange(1, 4096)));
  session->request = std::move(request);
  session->sink = std::move(sink);
  return Submit(std::move(session));
}

Result<RequestId> FakeEngine::Score(ScoreRequest request, std::unique_ptr<EventSink> sink) {
  auto session = std::make_unique<Session>();
  session->request.stop.max_tokens = 3;
  session->request.top_logprob_count = static_cast<int>(request.top_logprob_count);
  session->sink = std::move(sink);
  return Submit(std::move(session));
}

Result<RequestId> FakeEngine::Embed(EmbedRequest request, std::unique_ptr<EventSink> sink) {
  if (request.texts.empty()) return Failure(InvalidField("texts", "0", AcceptedRange(1, 256)));
  auto session = std::make_unique<Session>();
  session->prompt = request.texts.front();
  session->request.stop.max_tokens = static_cast<std::uint32_t>(request.texts.size());
  session->embed = std::move(request);
  session->sink = std::move(sink);
  return Submit(std::move(session));
}

Result<RequestId> FakeEngine::Submit(std::unique_ptr<Session> session) {
  MutexLock lock(mutex_);
  if (draining_) return Failure(UnavailableError("the engine is stopping"));
  EDGEMOE_FAIL_IF_ERROR(availability_);
  if (live_.size() >= options_.sessions_max + options_.queue_max) {
    ++refused_;
    return Failure(ResourceExhaustedError("the queue is full").WithReason(Reason::kQueueFull));
  }
  const RequestId id{next_id_++};
  session->id = id;
  wedged_ = wedged_ || session->prompt == "wedge";
  live_.push_back(id);
  waiting_.push_back(std::move(session));
  ++wakes_;
  changed_.NotifyAll();
  return id;
}

Status FakeEngine::availability() const {
  MutexLock lock(mutex_);
  return availability_;
}

Pulse FakeEngine::pulse() const {
  const MutexLock lock(mutex_);
  return {.beats = 0, .rests = !wedged_};
}

void FakeEngine::SetAvailability(Status status) {
  MutexLock lock(mutex_);
  availability_ = std::move(status);
}

Status FakeEngine::Abort(RequestId request) {
  MutexLock lock(mutex_);
  if (std::ranges::find(live_, request) == live_.end())
    return NotFoundError("request_id: found " + std::to_string(request.value) +
                         "; accepted: one that waits or runs");
  aborted_.push_back(request);
  ++wakes_;
  changed_.NotifyAll();
  return OkStatus();
}

void FakeEngine::Wake() {
  MutexLock lock(mutex_);
  ++wakes_;
  changed_.NotifyAll();
}

namespace {

// A token a byte.
class ByteTokens final : public TextTokens {
 public:
  ByteTokens(std::string text, bool add_special) : text_(std::move(text)), begins_(add_special) {}

  Result<std::vector<TokenPiece>> Next(std::size_t count_max) override {
    std::vector<TokenPiece> pieces;
    if (std::exchange(begins_, false)) pieces.push_back({.token = TokenId{1}, .bytes = "<s>"});
    for (; done_ < text_.size() && pieces.size() < count_max; ++done_)
      pieces.push_back({.token = TokenId{static_cast<unsigned char>(text_[done_])},
                        .bytes = std::string(1, text_[done_]),
                        .byte_begin = done_,
                        .byte_end = done_ + 1});
    return pieces;
  }

 private:
  const std::string text_;
  bool begins_;
  std::uint32_t done_ = 0;
};

}  // namespace

Result<std::unique_ptr<TextTokens>> FakeEngine::Tokenize(std::string text,
                                                         const TokenizeOptions& options) const {
  return std::make_unique<ByteTokens>(std::move(text), options.add_special);
}

Result<std::string> FakeEngine::Detokenize(std::span<const TokenId> tokens,
                                           const DetokenizeOptions& options) const {
  std::string text = options.from_start ? "" : " ";
  for (const TokenId token : tokens) {
    if (token.value < 0 || token.value >= 1000)
      return Failure(
          Status(StatusCode::kInvalidArgument,
                 "tokens[0]: found " + std::to_string(token.value) + "; accepted: [0, 999]"));
    text += "t" + std::to_string(token.value);
  }
  return text;
}

Result<std::string> FakeEngine::ApplyTemplate(std::span<const ChatMessage> messages,
                                              const ChatTemplateOptions& options) const {
  std::string prompt;
  for (const ChatMessage& message : messages) prompt += message.content;
  if (!options.add_generation_prompt) prompt += "|";
  for (const auto& [name, json] : options.variables) prompt += "{" + name + "=" + json + "}";
  return prompt;
}

EngineStats FakeEngine::GetStats() const {
  MutexLock lock(mutex_);
  EngineStats stats;
  stats.requests_refused = refused_;
  stats.expert_uses = 4;
  stats.expert_hits = 1;
  stats.kernels = "none";
  stats.memory.budget_bytes = budget_bytes_;
  stats.memory.budget_floor_bytes = kBudgetFloorBytes;
  stats.memory.usable_bytes = options_.usable_bytes;
  return stats;
}

Result<MemoryPlan> FakeEngine::Resize(std::uint64_t budget_bytes) {
  EngineOptions options;
  options.memory_budget_bytes = budget_bytes;
  MemoryPlan plan = *PlanMemory(options);
  if (!plan.fits) return Failure(plan.shortage.WithField("budget_bytes"));
  MutexLock lock(mutex_);
  budget_bytes_ = budget_bytes;
  return plan;
}

// Lives with a registration at the engine, which adds a line for each token.
class FakeEngine::Recording final : public RoutingRecording {
 public:
  Recording(FakeEngine& engine, RecordedStepObserver observer)
      : engine_(engine), observer_(std::move(observer)) {}
  ~Recording() override { Stop(); }

  const std::string& header() const override { return header_; }
  std::string Take() override {
    const MutexLock lock(mutex_);
    return std::exchange(text_, "");
  }
  void Stop() override {
    const MutexLock lock(engine_.mutex_);
    if (engine_.recording_ == this) engine_.recording_ = nullptr;
  }
  std::uint64_t steps_recorded() const override { return steps_; }
  std::uint64_t steps_dropped() const override { return 0; }

  void Add() {
    {
      const MutexLock lock(mutex_);
      text_ += std::to_string(++steps_) + "\n";
    }
    observer_(steps_);
  }

 private:
  FakeEngine& engine_;
  const RecordedStepObserver observer_;
  const std::string header_ = "step\n";
  std::atomic<std::uint64_t> steps_ = 0;
  Mutex mutex_;
  std::string text_ GUARDED_BY(mutex_);
};

Result<std::unique_ptr<RoutingRecording>> FakeEngine::RecordRouting(RecordedStepObserver observer) {
  auto recording = std::make_unique<Recording>(*this, std::move(observer));
  const MutexLock lock(mutex_);
  if (recording_ != nullptr)
    return Failure(FailedPreconditionError("another recording of routing is running"));
  recording_ = recording.get();
  return recording;
}

bool FakeEngine::Drain(std::uint32_t timeout_ms) {
  const auto end = steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  MutexLock lock(mutex_);
  draining_ = true;
  for (auto now = steady_clock::now(); !live_.empty() && now < end; now = steady_clock::now())
    changed_.WaitFor(mutex_, end - now);
  const bool all_finished = live_.empty();
  aborted_.insert(aborted_.end(), live_.begin(), live_.end());
  ++wakes_;
  changed_.NotifyAll();
  while (!live_.empty()) changed_.Wait(mutex_);
  return all_finished;
}

std::size_t FakeEngine::active() const {
  MutexLock lock(mutex_);
  return live_.size();
}

std::uint64_t FakeEngine::chunk_count() const {
  MutexLock lock(mutex_);
  return chunks_;
}

bool FakeEngine::WaitActive(std::size_t count) const {
  return WaitFor([&]() NO_THREAD_SAFETY_ANALYSIS { return live_.size() == count; });
}

bool FakeEngine::WaitIdle() const { return WaitActive(0); }

bool FakeEngine::WaitPaused() const {
  return WaitFor([&]() NO_THREAD_SAFETY_ANALYSIS { return paused_; });
}

bool FakeEngine::WaitFor(const std::function<bool()>& condition) const {
  const auto end = steady_clock::now() + kPatience;
  const MutexLock lock(mutex_);
  for (auto now = steady_clock::now(); !condition() && now < end; now = steady_clock::now())
    changed_.WaitFor(mutex_, end - now);
  return condition();
}

void FakeEngine::Run() {
  while (true) {
    std::uint64_t wakes = 0;
    std::vector<Session*> queued;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      wakes = wakes_;
      for (auto& session : waiting_) {
        const bool aborted = std::ranges::find(aborted_, session->id) != aborted_.end();
        if (aborted || running_.size() < options_.sessions_max)
          running_.push_back(std::move(session));
      }
      std::erase(waiting_, nullptr);
      for (const auto& session : waiting_) queued.push_back(session.get());
    }
    for (std::uint32_t i = 0; i < queued.size(); ++i) {
      if (!std::exchange(queued[i]->started, true))
        queued[i]->sink->OnStarted(
            {.request = queued[i]->id, .queue_position = i + 1, .prompt_tokens = 3});
    }
    if (Step()) continue;
    MutexLock lock(mutex_);
    while (wakes == wakes_ && !stopping_) changed_.Wait(mutex_);
  }
}

bool FakeEngine::Step() {
  bool progress = false;
  for (const auto& session : running_) progress |= StepOne(*session);
  std::vector<std::unique_ptr<Session>> ended;
  for (auto& session : running_)
    if (session->finished) ended.push_back(std::move(session));
  std::erase(running_, nullptr);
  if (ended.empty()) return progress;
  MutexLock lock(mutex_);
  for (const auto& session : ended) {
    std::erase(live_, session->id);
    std::erase(aborted_, session->id);
    if (session->prompt == "wedge") wedged_ = false;
  }
  changed_.NotifyAll();
  return true;
}

namespace {

std::vector<AnswerEvent> ToolsParts() {
  using Kind = AnswerEvent::Kind;
  return {{.kind = Kind::kReasoning, .text = "Hm."},
          {.kind = Kind::kCallBegun, .call_index = 0, .call_name = "look"},
          {.kind = Kind::kArguments, .text = "{\"at\": 1}"},
          {.kind = Kind::kCallEnded, .call_index = 0},
          {.kind = Kind::kCallBegun, .call_index = 1, .call_name = "go", .call_id = "id"},
          {.kind = Kind::kNotParsed, .text = "a call that is not JSON", .call_index = 1},
          {.kind = Kind::kContent, .text = "go{"}};
}

}  // namespace

bool FakeEngine::StepOne(Session& session) {
  if (!std::exchange(session.started, true))
    session.sink->OnStarted({.request = session.id, .prompt_tokens = 3});
  if (!std::exchange(session.runs, true))
    session.sink->OnPromptProgress({.processed_tokens = 3, .prompt_tokens = 3});
  {
    bool aborted = false;
    {
      MutexLock lock(mutex_);
      aborted = std::ranges::find(aborted_, session.id) != aborted_.end();
    }
    if (aborted) {
      Finish(session, FinishReason::kCancelled, CancelledError("the request was aborted"));
      return true;
    }
  }
  if (session.prompt == "hang" || session.prompt == "wedge") return false;
  if (session.prompt == "fail" && session.written == 2) {
    Finish(session, FinishReason::kError, DataLossError("expert 3 of layer 1: read failed"));
    return true;
  }
  if (!session.sink->CanTake()) {
    const std::uint64_t now_ns = options_.clock == nullptr ? 0 : options_.clock->NowNs();
    if (!session.paused_since_ns) session.paused_since_ns = now_ns;
    {
      MutexLock lock(mutex_);
      paused_ = true;
      changed_.NotifyAll();
    }
    if (now_ns - *session.paused_since_ns < options_.stall_timeout_ms * kNsPerMs) return false;
    Finish(session, FinishReason::kError, ResourceExhaustedError("the client reads too slowly"));
    return true;
  }
  session.paused_since_ns.reset();
  const std::uint32_t limit = session.request.stop.max_tokens.value_or(~std::uint32_t{0});
  if (session.prompt == "tools" && session.written == 1) {
    Finish(session, FinishReason::kToolCalls, OkStatus());
    return true;
  }
  if (session.written >= limit || (session.prompt == "short" && session.written == 1)) {
    Finish(session, FinishReason::kMaxTokens, OkStatus());
    return true;
  }
  if (session.embed) {
    const std::string& text = session.embed->texts[session.written];
    const auto length = static_cast<float>(text.size());
    session.sink->OnEmbedding(
        {.text_index = session.written++, .tokens = 3, .values = {length, length, 1}});
    return true;
  }
  ++session.written;
  ChunkEvent chunk{.text = kText, .tokens = {TokenId{7}}, .logprobs = {}};
  if (session.prompt == "tools") {
    chunk.text.clear();
    chunk.parts = ToolsParts();
  }
  if (session.prompt == "large") chunk.text.assign(kLargeChunkBytes, 'x');
  if (session.request.top_logprob_count >= 0)
    chunk.logprobs.push_back(
        {.token = TokenId{7}, .logprob = -0.5F, .top = {{.token = TokenId{8}, .logprob = -0.1F}}});
  session.sink->OnChunk(std::move(chunk));
  MutexLock lock(mutex_);
  ++chunks_;
  if (recording_ != nullptr) recording_->Add();
  return true;
}

void FakeEngine::Finish(Session& session, FinishReason reason, Status status) {
  FinishedEvent event;
  event.reason = reason;
  event.status = std::move(status);
  event.prompt_tokens = 3;
  event.completion_tokens = session.written;
  if (session.prompt == "short") event.text = "held back";
  session.sink->OnFinished(std::move(event));
  session.sink.reset();
  session.finished = true;
}

// What the server calls beside an Engine: paths steer them.

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, OpenProgress progress) {
  if (options.model_path == "too-large.gguf")
    return Failure(
        ResourceExhaustedError("needs at least 1 GiB").WithReason(Reason::kBudgetTooSmall));
  if (options.model_path == "stuck.gguf") {
    progress(1, 4);
    while (true) ::pause();  // a disk that never answers
  }
  return std::make_unique<FakeEngine>(
      FakeEngine::Options{.sessions_max = options.sessions_max,
                          .queue_max = options.queue_max,
                          .stall_timeout_ms = options.stall_timeout_ms});
}

Result<EngineOptions> Engine::Check(EngineOptions options) {
  if (options.model_path == "too-large.gguf")
    return Failure(
        ResourceExhaustedError("needs at least 1 GiB").WithReason(Reason::kBudgetTooSmall));
  options.memory_budget_bytes = 4096;
  return options;
}

Result<ModelDescription> DescribeModel(const EngineOptions& options) {
  const std::string& path = options.model_path;
  const std::string file = path.substr(path.rfind('/') + 1);
  if (file.starts_with("broken")) return Failure(DataLossError(path + ": the header is cut off"));
  ModelDescription description;
  description.path = path;
  description.name = file.substr(0, file.rfind(".gguf"));
  description.architecture = "qwen3moe";
  if (options.top_k) description.settings.push_back({"top_k", "7", SettingSource::kConfiguration});
  return description;
}

Result<ProbeReport> ProbeStorage(const ProbeOptions& options) {
  ProbeReport report;
  report.device = "8:1";
  report.kept = !options.fresh;
  report.points = {{.read_bytes = 65536, .depth = 2, .bytes_per_second = 1e8}};
  report.bytes_per_second = 1e8;
  report.read_bytes = 65536;
  report.depth = 2;
  report.in_flight_bytes_max = 131072;
  report.note = options.path;
  return report;
}

Result<MemoryPlan> PlanMemory(const EngineOptions& options) {
  MemoryPlan plan;
  plan.budget_bytes = options.memory_budget_bytes;
  plan.budget_floor_bytes = kBudgetFloorBytes;
  plan.state_bytes = std::uint64_t{options.context_tokens} * options.sessions_max;
  plan.fits = plan.budget_bytes >= plan.budget_floor_bytes;
  if (!plan.fits)
    plan.shortage =
        Status(StatusCode::kResourceExhausted, "memory_budget_bytes", "needs at least 1000")
            .WithReason(Reason::kBudgetTooSmall);
  plan.explanation = plan.fits ? "fits" : plan.shortage.message();
  return plan;
}

Result<ExpectedSpeed> ExpectSpeed(const EngineOptions& options, const MemoryPlan& plan,
                                  const SpeedRequest& request) {
  if (!plan.fits || request.storage_path != options.model_path)
    return Failure(FailedPreconditionError("nothing can be said"));
  return ExpectedSpeed{.tokens_per_second = 10,
                       .low = 7,
                       .high = 12,
                       .bound = SpeedBound::kStorage,
                       .hit_rate = 0.5,
                       .earlier_count = 4};
}

}  // namespace edgemoe
