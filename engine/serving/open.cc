// SPDX-License-Identifier: Apache-2.0
//
// How an engine comes to life, part by part, and how it ends.
#include <malloc.h>

#include <utility>

#include "engine/base/accepted.h"
#include "engine/base/system/usable_memory.h"
#include "engine/io/mapped_file.h"
#include "engine/io/metered_reader.h"
#include "engine/io/reader_factory.h"
#include "engine/kernels/dispatch.h"
#include "engine/load/model_parts.h"
#include "engine/serving/loaded_engine.h"
#include "engine/serving/option_check.h"
#include "engine/serving/read_shape.h"
#include "engine/serving/speed_input.h"
#include "engine/stream/pipeline/faults.h"

namespace edgemoe {

LoadedEngine::LoadedEngine(EngineOptions options)
    : options_(std::move(options)),
      clock_(options_.clock != nullptr ? *options_.clock : steady_clock_),
      opened_ns_(clock_.NowNs()),
      queue_(options_.sessions_max, options_.queue_max) {}

Result<std::unique_ptr<LoadedEngine>> LoadedEngine::Open(EngineOptions options,
                                                         const OpenProgress& progress) {
  EDGEMOE_FAIL_IF_ERROR(ValidateOptions(options));
  std::unique_ptr<LoadedEngine> engine(new LoadedEngine(std::move(options)));
  EDGEMOE_FAIL_IF_ERROR(engine->Load(progress));
  engine->Start();
  return engine;
}

Result<EngineOptions> LoadedEngine::Check(EngineOptions options) {
  EDGEMOE_FAIL_IF_ERROR(ValidateOptions(options));
  EngineOptions in_force = options;
  if (options.io_depth == 0) options.io_depth = ReadShape().depth;  // instead of a probe
  const std::unique_ptr<LoadedEngine> engine(new LoadedEngine(std::move(options)));
  SlotClasses slot_classes;
  EDGEMOE_FAIL_IF_ERROR(engine->OpenFiles(slot_classes));
  EDGEMOE_FAIL_IF_ERROR(engine->OpenReaders());
  EDGEMOE_ASSIGN_OR_FAIL(const KernelTable* const kernels, SelectKernels(in_force.kernels));
  in_force.model_name = engine->description_.name;
  in_force.memory_budget_bytes = engine->plan_.budget_bytes;
  in_force.expert_budget_bytes = engine->plan_.expert_bytes;
  in_force.context_tokens = engine->limits_.steps.context_tokens;
  in_force.threads = static_cast<std::uint32_t>(engine->limits_.thread_count);
  in_force.io_backend = engine->io_backend_;
  in_force.kernels = kernels->name;
  return in_force;
}

LoadedEngine::~LoadedEngine() {
  queue_.Stop();
  if (thread_.joinable()) thread_.join();
}

Status LoadedEngine::Load(const OpenProgress& progress) {
  SlotClasses slot_classes;
  EDGEMOE_RETURN_IF_ERROR(OpenFiles(slot_classes));
#ifdef __GLIBC__
  // The parsed header is gone: its many small strings are outside the budget, and must not stay
  // beside what is in it.
  ::malloc_trim(0);
#endif
  EDGEMOE_RETURN_IF_ERROR(LoadDense(progress));
  EDGEMOE_RETURN_IF_ERROR(OpenStream(slot_classes));
  EDGEMOE_RETURN_IF_ERROR(OpenMemory());
  return OpenForward();
}

Status LoadedEngine::OpenFiles(SlotClasses& slot_classes) {
  EDGEMOE_ASSIGN_OR_RETURN(mode_, ParseEngineMode(options_.mode));
  EDGEMOE_ASSIGN_OR_RETURN(ModelHeader header, ReadModelHeader(options_.model_path));
  EDGEMOE_ASSIGN_OR_RETURN(description_, DescribeHeader(header, options_));
  const std::uint64_t usable_bytes = UsableMemoryBytes();
  limits_ = LimitsFor(header, options_, usable_bytes);
  description_.context_tokens = limits_.steps.context_tokens;
  if (description_.context_tokens < options_.context_tokens)
    Log(LogLevel::kInfo, "context_tokens: found " + std::to_string(options_.context_tokens) +
                             "; served are " + std::to_string(description_.context_tokens) +
                             ", the model's own context");
  plan_ = MakePlan(header, limits_, options_, usable_bytes);
  if (!plan_.fits) return plan_.shortage;
  budget_.emplace(plan_.budget_bytes);

  EDGEMOE_RETURN_IF_ERROR(OpenVocabulary(header.files.metadata()));
  EDGEMOE_ASSIGN_OR_RETURN(files_, OpenModelFiles(header));
  if (mode_ == EngineMode::kEdgeMoe)
    speed_.emplace(options_, SpeedModelOf(description_, header.layout.experts), DemandOf(header));
  parts_ = std::move(header.parts);
  layout_ = std::move(header.layout);
  slot_classes =
      SlotClassesFor(mode_, limits_.config.expert_used_count, std::move(header.slot_classes));
  return OkStatus();
}

Status LoadedEngine::OpenVocabulary(const GgufFile& metadata) {
  EDGEMOE_ASSIGN_OR_RETURN(tokenizer_, OpenTokenizer(metadata));
  text_.emplace(*tokenizer_);
  EDGEMOE_RETURN_IF_ERROR(OpenChat(metadata));
  checker_.emplace(*tokenizer_, limits_.steps.context_tokens, description_.pooling);
  return OkStatus();
}

Status LoadedEngine::OpenChat(const GgufFile& metadata) {
  ChatPromptOptions options{.system_prompt = options_.system_prompt, .template_text = {}};
  const std::string& path = options_.template_file;
  if (!path.empty()) {
    const Result<MappedFile> file = MappedFile::Open(path);
    if (!file) return file.error().WithField("template_file");
    const std::span<const std::byte> bytes = file->bytes();
    if (bytes.empty() || bytes.size() > kTemplateFileBytesMax)
      return InvalidField("template_file",
                          ShowValue(path) + " of " + ShowValue(bytes.size()) + " bytes",
                          AcceptedRange(std::size_t{1}, kTemplateFileBytesMax));
    options.template_text.emplace(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  chat_.emplace(metadata, *tokenizer_, std::move(options));
  if (chat_->status().ok()) return OkStatus();
  if (!path.empty())
    return InvalidField("template_file", ShowValue(path) + ": " + chat_->status().message(),
                        "a chat template in Jinja");
  Log(LogLevel::kWarning, chat_->status().message());
  return OkStatus();
}

Status LoadedEngine::LoadDense(const OpenProgress& progress) {
  EDGEMOE_RETURN_IF_ERROR(Reserve("dense weights", plan_.dense_bytes));
  const std::uint64_t total_bytes = DenseFileBytes(layout_);
  const LoadProgress loaded = [&](std::uint64_t bytes) {
    if (progress) progress(bytes, total_bytes);
  };
  EDGEMOE_ASSIGN_OR_RETURN(weights_, LoadDenseWeights(limits_.config, layout_, files_, loaded));
  EDGEMOE_RETURN_IF_ERROR(CheckUnchanged(files_));
  if (!weights_.memory.TryLock())
    Log(LogLevel::kDebug, "dense weights are not locked in memory: RLIMIT_MEMLOCK is too small");
  return OkStatus();
}

Status LoadedEngine::OpenStream(const SlotClasses& classes) {
  EDGEMOE_RETURN_IF_ERROR(OpenReaders());
  if (!HasCache(mode_)) return OpenBaseline();
  EDGEMOE_ASSIGN_OR_RETURN(const VerifyMode verify, ParseVerifyMode(options_.verify));
  EDGEMOE_ASSIGN_OR_RETURN(
      stack_, ExpertStack::Open(
                  {.layout = layout_.experts, .files = files_, .reader = *reader_, .clock = clock_},
                  {.classes = classes,
                   .slab_bytes = plan_.expert_bytes,
                   .eviction_policy = options_.eviction_policy,
                   .sessions_max = options_.sessions_max,
                   .verify = verify,
                   .pipeline = MakePipelineOptions()}));
  stack_->slab().TryLock();
  experts_ = &stack_->pipeline();
  OpenGuard();
  return OkStatus();
}

void LoadedEngine::OpenGuard() {
  guard_.emplace(StorageGuard::Parts{.model = parts_,
                                     .files = &files_,
                                     .reader = reader_.get(),
                                     .stack = stack_.get(),
                                     .clock = &clock_,
                                     .log = options_.log,
                                     .on_change = options_.on_availability});
}

ExpertPipelineOptions LoadedEngine::MakePipelineOptions() {
  ExpertPipelineOptions options{.loader = {.request_bytes_max = read_shape_.request_bytes,
                                           .read_ahead_bytes_max = read_shape_.read_ahead_bytes},
                                .keep_experts = mode_ != EngineMode::kOnDemand};
  if (mode_ != EngineMode::kEdgeMoe || options_.predictor == "none") return options;
  const std::uint32_t experts_used = limits_.config.expert_used_count;
  predictor_.emplace(PredictorShape{.layer_count = layout_.experts.layer_count,
                                    .experts_per_layer = layout_.experts.experts_per_layer,
                                    .experts_used = experts_used,
                                    .sessions_max = options_.sessions_max});
  options.look_ahead = options_.predictor == "router" ? LookAhead::kRouter : LookAhead::kPredictor;
  options.predictor = &*predictor_;
  options.near_guesses_per_row = std::min(experts_used, kGuessesPerRowMax / 2);
  return options;
}

Status LoadedEngine::OpenReaders() {
  EDGEMOE_ASSIGN_OR_RETURN(read_shape_, ChooseReads(options_, layout_.experts));
  EDGEMOE_ASSIGN_OR_RETURN(OpenedReader opened, OpenReader(files_, {.backend = options_.io_backend,
                                                                    .depth = read_shape_.depth}));
  io_backend_ = opened.reader->name();
  io_note_ = std::move(opened.note);
  EDGEMOE_ASSIGN_OR_RETURN(const FaultSchedule faults,
                           FaultsFor(options_.io_faults, layout_.experts));
  if (!faults.empty()) Log(LogLevel::kWarning, "reads fail on purpose: " + options_.io_faults);
  EDGEMOE_ASSIGN_OR_RETURN(storage_profile_,
                           ParseStorageProfile(options_.storage_profile, options_.storage_scale));
  if (storage_profile_.bytes_per_second != 0)
    Log(LogLevel::kWarning, "storage is slowed down on purpose: " + options_.storage_profile);
  reader_ = AddFaults(AddStorageProfile(std::move(opened.reader), storage_profile_, clock_), faults,
                      clock_);
  auto meter = std::make_unique<MeteredReader>(std::move(reader_), clock_, heartbeat_);
  meter_ = meter.get();
  reader_ = std::move(meter);
  return OkStatus();
}

Status LoadedEngine::OpenBaseline() {
  EDGEMOE_ASSIGN_OR_RETURN(layer_buffers_, AlignedBuffer::Allocate(plan_.expert_bytes));
  std::vector<std::string> paths;
  for (const StorageFile& file : files_) paths.push_back(file.path());
  EDGEMOE_ASSIGN_OR_RETURN(baseline_, MakeBaselineSource(mode_, {.layout = layout_.experts,
                                                                 .reader = reader_.get(),
                                                                 .memory = layer_buffers_.span(),
                                                                 .paths = paths,
                                                                 .clock = &clock_}));
  experts_ = baseline_.get();
  if (mode_ == EngineMode::kMapped) {
    io_backend_ = "mmap";
    io_note_ = "experts are in the page cache";
  }
  return OkStatus();
}

Status LoadedEngine::OpenMemory() {
  if (mode_ != EngineMode::kEdgeMoe) return OpenFixedMemory();
  EDGEMOE_ASSIGN_OR_RETURN(MemoryReservation experts,
                           budget_->Reserve("experts", plan_.expert_bytes));
  memory_.emplace(LiveMemory::Parts{.budget = &*budget_,
                                    .slab = &stack_->slab(),
                                    .cache = &stack_->cache(),
                                    .reader = reader_.get(),
                                    .pipeline = &stack_->pipeline()},
                  std::move(experts), plan_, options_);
  idle_.emplace(EngineIdle::Parts{.clock = &clock_,
                                  .layout = &layout_.experts,
                                  .cache = &stack_->cache(),
                                  .verifier = &stack_->verifier(),
                                  .pipeline = &stack_->pipeline(),
                                  .memory = &*memory_,
                                  .predictor = predictor_ ? &*predictor_ : nullptr,
                                  .publish = [this] { PublishStreamStats(); },
                                  .observe = [this] { ObserveSpeed(); },
                                  .log = options_.log},
                options_.state_directory, ModelDigest(description_, layout_.experts),
                options_.idle_shrink_after_s);
  return OkStatus();
}

Status LoadedEngine::OpenFixedMemory() {
  EDGEMOE_RETURN_IF_ERROR(Reserve("experts", plan_.expert_bytes));
  const std::vector<std::span<std::byte>> memory =
      stack_ ? stack_->slab().regions() : std::vector{layer_buffers_.span()};
  if (plan_.expert_bytes > 0) {
    const Status fixed = reader_->SetFixedBuffers(memory);
    if (!fixed.ok()) io_note_ += (io_note_.empty() ? "" : "; ") + fixed.message();
  }
  if (mode_ != EngineMode::kResident) return OkStatus();
  EDGEMOE_RETURN_IF_ERROR(ReadAllExperts(layout_.experts, *experts_));
  PublishStreamStats();
  return OkStatus();
}

Status LoadedEngine::OpenForward() {
  EDGEMOE_ASSIGN_OR_RETURN(kernels_, SelectKernels(options_.kernels));
  pool_.emplace(limits_.thread_count);
  EDGEMOE_RETURN_IF_ERROR(Reserve("sequence state", plan_.state_bytes));
  EDGEMOE_ASSIGN_OR_RETURN(state_,
                           StatePool::Create(StateShapeOf(limits_.config), StateLimitsOf(limits_)));
  EDGEMOE_RETURN_IF_ERROR(Reserve("workspace", plan_.workspace_bytes));
  EDGEMOE_ASSIGN_OR_RETURN(
      forward_,
      Forward::Create(
          limits_.config,
          {.weights = weights_, .kernels = *kernels_, .pool = *pool_, .experts = *experts_},
          {.rows_max = limits_.steps.rows_max(),
           .logit_rows_max = limits_.steps.logit_rows_max,
           .heartbeat = &heartbeat_}));
  return OkStatus();
}

void LoadedEngine::Start() {
  loop_.emplace(limits_.steps, *forward_, *state_, clock_, queue_,
                [this] { PublishStreamStats(); });
  loop_->SetHeartbeat(&heartbeat_);
  if (idle_) loop_->SetIdleWork(&*idle_);
  if (guard_) loop_->SetBetweenSteps([this] { return guard_->Look(); });
  thread_ = std::thread([this] {
    loop_->Run();
    if (idle_) idle_->Keep();
    heartbeat_.Rest();
  });
  Log(LogLevel::kInfo, "model " + description_.name + ": " + plan_.explanation);
  Log(LogLevel::kInfo, std::string("kernels ") + kernels_->name + ", " +
                           std::to_string(limits_.thread_count) + " threads, storage through " +
                           io_backend_ + (IoNote().empty() ? "" : ": " + IoNote()));
}

void LoadedEngine::ObserveSpeed() {
  const StepCounters& steps = loop_->counters();
  const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  speed_->Observe(memory_->plan(), {.tokens = read(steps.alone_steps),
                                    .ns = read(steps.alone_run_ns),
                                    .expert_uses = read(steps.alone_expert_uses),
                                    .expert_hits = read(steps.alone_expert_hits)});
}

Status LoadedEngine::Reserve(std::string_view name, std::uint64_t bytes) {
  EDGEMOE_ASSIGN_OR_RETURN(MemoryReservation reservation, budget_->Reserve(name, bytes));
  reservations_.push_back(std::move(reservation));
  return OkStatus();
}

void LoadedEngine::Log(LogLevel level, std::string_view line) const {
  if (options_.log) options_.log(level, line);
}

}  // namespace edgemoe
